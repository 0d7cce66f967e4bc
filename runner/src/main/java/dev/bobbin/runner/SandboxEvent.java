package dev.bobbin.runner;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// Something that became of a sandbox that lasts.
///
/// @param number one more than that of the event before it on this host, also after a restart of the server
/// @param name that it has from now on; `null` for none
/// @param detail how its run ended, as the word of an outcome's cause, or why it failed; `null` if neither
public record SandboxEvent(
        long number,
        Instant at,
        SandboxId sandbox,
        String tenant,
        @Nullable String name,
        Change change,
        @Nullable String detail) {

    public enum Change {
        CREATING,
        RUNNING,
        STOPPING,
        STOPPED,
        FAILED,
        RENAMED,
        REMOVED;

        /// That it came into `state`.
        public static Change into(SandboxState state) {
            return switch (state) {
                case CREATING -> CREATING;
                case RUNNING -> RUNNING;
                case STOPPING -> STOPPING;
                case STOPPED -> STOPPED;
                case FAILED -> FAILED;
            };
        }
    }
}
