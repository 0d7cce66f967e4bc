package dev.bobbin.runner.host;

/// What this host has and what runs on it now.
///
/// @param cpus processors of the machine
/// @param memoryBytes memory of the machine
/// @param pids processes and threads that the machine can have at once
/// @param running jobs that run
/// @param parked sandboxes that wait for a job
public record HostCapacity(int cpus, long memoryBytes, int pids, int running, int parked) {}
