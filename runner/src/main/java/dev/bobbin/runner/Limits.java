package dev.bobbin.runner;

import java.time.Duration;

/// What a job may use at most. Caps, not reservations. Every value is positive; a wrong one is an
/// [IllegalArgumentException] that starts with the field's name.
///
/// @param memoryBytes memory and swap together, files in the job's own disk included
/// @param cpus processors, in fractions; `0` stands for all of the host's
/// @param pids processes and threads
/// @param time wall time from the first instruction
/// @param outputBytes bytes of standard output and standard error together
/// @param diskBytes bytes of files written to the job's root
public record Limits(long memoryBytes, double cpus, int pids, Duration time, long outputBytes, long diskBytes) {
    private static final long MIB = 1024 * 1024;
    private static final long SMALLEST_MEMORY = 4 * MIB;
    public static final Duration LONGEST_TIME = Duration.ofDays(366);

    public static final Limits DEFAULT = new Limits(512 * MIB, 0, 1024, Duration.ofHours(1), 64 * MIB, 1024 * MIB);

    public Limits {
        require(memoryBytes >= SMALLEST_MEMORY, "memory must be at least 4MiB");
        require(cpus == 0 || (cpus >= 0.01 && cpus <= 4096), "cpus must be between 0.01 and 4096");
        require(pids >= 1 && pids <= 4_194_304, "pids must be between 1 and 4194304");
        require(time.isPositive() && time.compareTo(LONGEST_TIME) <= 0, "time must be between 1ms and 366 days");
        require(time.toMillis() >= 1, "time must be between 1ms and 366 days");
        require(outputBytes >= 1, "output must be at least 1 byte");
        require(diskBytes >= 4096, "disk must be at least 4096 bytes");
    }

    /// These limits with another time and another output.
    public Limits within(Duration otherTime, long otherOutputBytes) {
        return new Limits(memoryBytes, cpus, pids, otherTime, otherOutputBytes, diskBytes);
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
