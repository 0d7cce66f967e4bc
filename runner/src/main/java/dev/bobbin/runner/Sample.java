package dev.bobbin.runner;

import java.time.Instant;

/// What a sandbox uses at one moment. Everything but memory in use and the number of processes has been counted since
/// it was started. A negative number means that this machine does not count it.
///
/// @param pids processes and threads in it now
/// @param block bytes that came from disks, and bytes that were written for disks
/// @param network bytes that came in and went out, those to itself left out
/// @param disk what its files on disk take; counted only where the file system keeps their size
public record Sample(Instant at, Cpu cpu, Memory memory, long pids, Traffic block, Traffic network, Disk disk) {

    /// The same, where bytes of the network are not its own.
    public Sample withoutNetwork() {
        return new Sample(at, cpu, memory, pids, block, new Traffic(-1, -1), disk);
    }

    /// Time of processors.
    ///
    /// @param totalMicros of all its processes
    /// @param userMicros part of it in programs
    /// @param systemMicros part of it in the kernel
    /// @param periods periods of a tenth of a second in which its limit of processors was looked at
    /// @param throttledPeriods those of them in which it held it back
    /// @param throttledMicros time for which it was held back
    public record Cpu(
            long totalMicros,
            long userMicros,
            long systemMicros,
            long periods,
            long throttledPeriods,
            long throttledMicros) {}

    /// Bytes of memory.
    ///
    /// @param bytes in use now, files in memory included
    /// @param peakBytes most that was in use at once
    /// @param anonymousBytes part of those in use that belongs to processes
    /// @param cacheBytes part of those in use that holds files, most of which the kernel can take back
    /// @param oomKills processes that the kernel killed for want of memory
    public record Memory(long bytes, long peakBytes, long anonymousBytes, long cacheBytes, long oomKills) {}

    /// Room on a disk.
    public record Disk(long bytes, long inodes) {}

    /// Bytes in two directions.
    public record Traffic(long inBytes, long outBytes) {}
}
