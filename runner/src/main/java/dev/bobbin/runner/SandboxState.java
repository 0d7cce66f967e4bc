package dev.bobbin.runner;

import java.util.Locale;

/// Where a sandbox that lasts stands. `CREATING` and `STOPPING` pass by themselves: each has a deadline.
public enum SandboxState {
    CREATING,
    RUNNING,
    STOPPING,
    /// It does not run and can be started: its files are there.
    STOPPED,
    /// It could not be started, or not be stopped in time; it can be started again, or removed.
    FAILED;

    /// The word of the API for this state.
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
