package dev.bobbin.runner;

import java.time.Duration;
import java.util.BitSet;
import java.util.regex.Pattern;

/// What a job may use at most. Caps, not reservations. Every value is positive; a wrong one is an
/// [IllegalArgumentException] that starts with the field's name.
///
/// @param memoryBytes memory and swap together, files in the job's own disk included
/// @param cpus processors, in fractions; `0` stands for all of the host's
/// @param pids processes and threads
/// @param time wall time from the first instruction
/// @param outputBytes bytes of standard output and standard error together
/// @param diskBytes bytes of files written to the job's root
/// @param cpuset which processors, as `0-1,3`; empty for any
/// @param cpuWeight share of the processors where others want them too, 100 being usual; 0 for that
/// @param io bytes and operations of the disk a second
/// @param openFiles files that a process may have open; 0 for what is usual
public record Limits(
        long memoryBytes,
        double cpus,
        int pids,
        Duration time,
        long outputBytes,
        long diskBytes,
        String cpuset,
        int cpuWeight,
        Io io,
        int openFiles) {
    private static final long MIB = 1024 * 1024;
    private static final long SMALLEST_MEMORY = 4 * MIB;
    private static final int MOST_OPEN_FILES = 1 << 30;
    private static final int FEWEST_OPEN_FILES = 16;
    private static final Pattern CPUSET = Pattern.compile("[0-9]{1,4}(-[0-9]{1,4})?(,[0-9]{1,4}(-[0-9]{1,4})?)*");
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
        require(
                cpuset.isEmpty()
                        || (CPUSET.matcher(cpuset).matches()
                                && !processors(cpuset).isEmpty()),
                "cpuset must be numbers of processors such as \"0-1,3\"");
        require(cpuWeight >= 0 && cpuWeight <= 1_000, "cpu_weight must be between 1 and 1000");
        require(
                openFiles == 0 || (openFiles >= FEWEST_OPEN_FILES && openFiles <= MOST_OPEN_FILES),
                "nofile must be between " + FEWEST_OPEN_FILES + " and " + MOST_OPEN_FILES);
    }

    /// Those that most jobs have: on any processor, at any rate, with as many open files as is usual.
    public Limits(long memoryBytes, double cpus, int pids, Duration time, long outputBytes, long diskBytes) {
        this(memoryBytes, cpus, pids, time, outputBytes, diskBytes, "", 0, Io.UNLIMITED, 0);
    }

    /// What may go to and come from the disk in a second. 0 stands for no limit.
    public record Io(long readBytes, long writeBytes, long readOperations, long writeOperations) {
        public static final Io UNLIMITED = new Io(0, 0, 0, 0);

        public Io {
            require(
                    readBytes >= 0 && writeBytes >= 0 && readOperations >= 0 && writeOperations >= 0,
                    "io must be positive numbers");
        }
    }

    /// The processors that a text such as `0-1,3` names; none if a range runs backwards.
    public static BitSet processors(String cpuset) {
        var processors = new BitSet();
        for (var part : cpuset.strip().split(",", -1)) {
            if (part.isEmpty()) {
                continue;
            }
            var ends = part.split("-", 2);
            var first = Integer.parseInt(ends[0]);
            var last = Integer.parseInt(ends[ends.length - 1]);
            if (last < first) {
                return new BitSet();
            }
            processors.set(first, last + 1);
        }
        return processors;
    }

    /// Whether it has a limit of processors or of disks that most jobs do not have.
    public boolean isRare() {
        return !cpuset.isEmpty() || cpuWeight > 0 || !io.equals(Io.UNLIMITED);
    }

    /// On these processors, with this share of them, at this rate, with so many open files.
    public Limits on(String processors, int weight, Io rate, int files) {
        return new Limits(memoryBytes, cpus, pids, time, outputBytes, diskBytes, processors, weight, rate, files);
    }

    /// These limits with another time and another output.
    public Limits within(Duration otherTime, long otherOutputBytes) {
        return new Limits(
                memoryBytes, cpus, pids, otherTime, otherOutputBytes, diskBytes, cpuset, cpuWeight, io, openFiles);
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
