package dev.bobbin.runner.cgroup;

import dev.bobbin.runner.Sample;
import java.util.List;

/// What the cgroups of one sandbox say now.
///
/// @param processes in it, as this machine numbers them
public record CgroupSample(Sample.Cpu cpu, Sample.Memory memory, long pids, List<Long> processes) {
    /// Files that are read, of whichever of them there are.
    static final List<String> MEMORY = List.of(
            "memory.usage_in_bytes",
            "memory.max_usage_in_bytes",
            "memory.oom_control",
            "memory.current",
            "memory.peak",
            "memory.events",
            "memory.stat");
    static final List<String> CPU = List.of("cpu.stat");
    static final List<String> CPU_ACCOUNT = List.of("cpuacct.usage", "cpuacct.usage_user", "cpuacct.usage_sys");
    static final List<String> PIDS = List.of("pids.current");
    static final String PROCESSES = "cgroup.procs";

    public CgroupSample {
        processes = List.copyOf(processes);
    }

    static CgroupSample of(Counters counters) {
        var processes = counters.files()
                .getOrDefault(PROCESSES, "")
                .lines()
                .map(Long::valueOf)
                .toList();
        return new CgroupSample(cpu(counters), memory(counters), counters.number("pids.current"), processes);
    }

    private static Sample.Cpu cpu(Counters counters) {
        var throttled = counters.keyed("cpu.stat", "throttled_time");
        return new Sample.Cpu(
                Math.max(Counters.micros(counters.number("cpuacct.usage")), counters.keyed("cpu.stat", "usage_usec")),
                Math.max(
                        Counters.micros(counters.number("cpuacct.usage_user")),
                        counters.keyed("cpu.stat", "user_usec")),
                Math.max(
                        Counters.micros(counters.number("cpuacct.usage_sys")),
                        counters.keyed("cpu.stat", "system_usec")),
                counters.keyed("cpu.stat", "nr_periods"),
                counters.keyed("cpu.stat", "nr_throttled"),
                Math.max(Counters.micros(throttled), counters.keyed("cpu.stat", "throttled_usec")));
    }

    /// Version 1 says `total_rss` and `total_cache`, version 2 `anon` and `file`.
    private static Sample.Memory memory(Counters counters) {
        return new Sample.Memory(
                Math.max(counters.number("memory.usage_in_bytes"), counters.number("memory.current")),
                Math.max(counters.number("memory.max_usage_in_bytes"), counters.number("memory.peak")),
                Math.max(counters.keyed("memory.stat", "total_rss"), counters.keyed("memory.stat", "anon")),
                Math.max(counters.keyed("memory.stat", "total_cache"), counters.keyed("memory.stat", "file")),
                Math.max(
                        counters.keyed("memory.oom_control", "oom_kill"), counters.keyed("memory.events", "oom_kill")));
    }
}
