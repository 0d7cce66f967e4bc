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
/// @param sandboxes sandboxes that last and run at once; they take no place of a job
/// @param sandboxOvercommit what `overcommit` is, if nothing but sandboxes that last ran. They mostly idle, and an idle
///        one uses less than 1 MiB of the usual 512. One of them counts for `overcommit / sandboxOvercommit` of a job
///        with the same limits
public record AdmissionConfig(
        int jobs, int line, Duration patience, double overcommit, int sandboxes, double sandboxOvercommit) {
    public static final AdmissionConfig DEFAULT = new AdmissionConfig(1024, 1024, Duration.ofSeconds(30), 8, 4096, 256);

    /// One that says nothing of sandboxes that last.
    public AdmissionConfig(int jobs, int line, Duration patience, double overcommit) {
        this(jobs, line, patience, overcommit, DEFAULT.sandboxes, DEFAULT.sandboxOvercommit);
    }

    public AdmissionConfig {
        require(jobs >= 1 && jobs <= 1_000_000, "jobs: must be between 1 and 1000000");
        require(line >= 0 && line <= 1_000_000, "line: must be between 0 and 1000000");
        require(!patience.isNegative(), "patience: must not be negative");
        require(overcommit >= 1 && overcommit <= 1000, "overcommit: must be between 1 and 1000");
        require(sandboxes >= 1 && sandboxes <= 1_000_000, "sandboxes: must be between 1 and 1000000");
        require(
                sandboxOvercommit >= 1 && sandboxOvercommit <= 100_000,
                "sandbox-overcommit: must be between 1 and 100000");
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
