package dev.bobbin.scheduler.admission;

import java.time.Duration;

/// Settings of the gate. A wrong value is an [IllegalArgumentException] that starts with the setting's key.
///
/// @param jobs jobs under way at once
/// @param line jobs that may wait for a place
/// @param patience how long one waits before it is refused
/// @param overcommit how many times the machine's memory and processes the limits of jobs under way may add up to.
///        Limits are caps: a job with the usual 512 MiB uses a few. With 8, every job must use less than an eighth of
///        its cap on average or the machine itself runs out of memory; 1 makes caps reservations
public record AdmissionConfig(int jobs, int line, Duration patience, double overcommit) {
    public static final AdmissionConfig DEFAULT = new AdmissionConfig(1024, 1024, Duration.ofSeconds(30), 8);

    public AdmissionConfig {
        require(jobs >= 1 && jobs <= 1_000_000, "jobs: must be between 1 and 1000000");
        require(line >= 0 && line <= 1_000_000, "line: must be between 0 and 1000000");
        require(!patience.isNegative(), "patience: must not be negative");
        require(overcommit >= 1 && overcommit <= 1000, "overcommit: must be between 1 and 1000");
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
