package dev.bobbin.scheduler.admission;

import java.time.Duration;

/// Settings of the gate. A wrong value is an [IllegalArgumentException] that starts with the setting's key.
///
/// @param jobs jobs under way at once
/// @param line jobs that may wait for a place
/// @param patience how long one waits before it is refused
public record AdmissionConfig(int jobs, int line, Duration patience) {
    public static final AdmissionConfig DEFAULT = new AdmissionConfig(1024, 1024, Duration.ofSeconds(30));

    public AdmissionConfig {
        require(jobs >= 1 && jobs <= 1_000_000, "jobs: must be between 1 and 1000000");
        require(line >= 0 && line <= 1_000_000, "line: must be between 0 and 1000000");
        require(!patience.isNegative(), "patience: must not be negative");
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
