package dev.bobbin.runner;

/// Everything known once a job has ended.
///
/// @param outcome how it ended
/// @param stdout what was written to standard output
/// @param stderr what was written to standard error
/// @param usage what it used
/// @param timeline when its phases began
public record Ending(Outcome outcome, Total stdout, Total stderr, Usage usage, StartTimeline timeline) {

    /// Proof of completeness for one stream: whoever has as many bytes with the same CRC32C has everything.
    public record Total(long bytes, int crc32c) {
        public static final Total NOTHING = new Total(0, 0);
    }

    /// What a job used; a negative number means that it is not known.
    ///
    /// @param cpuUserMicros time in user mode of all its processes
    /// @param cpuSystemMicros time in the kernel of all its processes
    /// @param throttledPeriods periods of a tenth of a second in which its limit of processors held it back
    /// @param throttledMicros time for which it was held back
    /// @param memoryPeakBytes most memory in use at once
    /// @param oomKills processes that the kernel killed for want of memory
    /// @param diskBytes files in its root when it ended
    /// @param diskInodes number of them
    /// @param droppedBytes output that was let go of
    /// @param stdinBytes standard input that was handed to it
    /// @param oomLevel whose memory was out when processes were killed, `job` or `host`; empty if none were
    public record Usage(
            long cpuUserMicros,
            long cpuSystemMicros,
            long throttledPeriods,
            long throttledMicros,
            long memoryPeakBytes,
            long oomKills,
            long diskBytes,
            long diskInodes,
            long droppedBytes,
            long stdinBytes,
            String oomLevel) {
        public static final Usage UNKNOWN = new Usage(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, "");
    }
}
