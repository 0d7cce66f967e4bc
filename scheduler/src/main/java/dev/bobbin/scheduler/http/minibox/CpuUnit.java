package dev.bobbin.scheduler.http.minibox;

/// What `cpu` means. It is documented as a percentage of one processor; but clients also send microseconds of each
/// tenth
/// of a second, such as 100000 for one processor, which as a percentage would be more than any machine has.
final class CpuUnit {
    private static final int PERCENT = 100;
    /// The kernel takes no shorter quota.
    private static final int SHORTEST_QUOTA = 1000;
    private static final double PERIOD = 100_000;
    private static final double LEAST = 0.01;

    private CpuUnit() {}

    /// Processors; 0 for all of them.
    ///
    /// @param online how many there are
    static double cpus(long cpu, int online) {
        if (cpu <= 0) {
            return 0;
        }
        if (cpu <= (long) PERCENT * online) {
            return (double) cpu / PERCENT;
        }
        var quota = cpu < SHORTEST_QUOTA ? online : cpu / PERIOD;
        return Math.max(LEAST, Math.min(quota, online));
    }
}
