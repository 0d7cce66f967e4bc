package dev.bobbin.scheduler.placement;

/// A machine as the others see it.
///
/// @param cpus processors of the machine
/// @param memoryBytes memory of the machine
/// @param pids processes and threads that the machine can have
/// @param running jobs that ran there when it last said so
public record Host(HostId id, int cpus, long memoryBytes, int pids, int running) {}
