package dev.bobbin.runner.cgroup;

import dev.bobbin.runner.Ending;
import java.util.HashMap;
import java.util.List;

/// What the kernel counted in a job's cgroups, read by PID 1 before they were removed.
///
/// @param level whose memory was out if it killed for want of it: `job`, or `host` if the job was never at its
///        limit
/// @param usage what was used; negative where the kernel did not say
public record Evidence(String level, Ending.Usage usage) {

    /// The kernel takes memory from the limit in batches of some pages a processor.
    private static final long NEAR = 256 * 1024;

    /// Reads `KIND "\n" file "\n" content` texts of an END record.
    static Evidence parse(List<String> texts) {
        var files = new HashMap<String, String>();
        for (var text : texts) {
            var kind = text.indexOf('\n');
            var file = text.indexOf('\n', kind + 1);
            if (kind >= 0 && file >= 0) {
                files.put(text.substring(kind + 1, file), text.substring(file + 1));
            }
        }
        var counters = new Counters(files);
        var oomKills =
                Math.max(counters.keyed("memory.oom_control", "oom_kill"), counters.keyed("memory.events", "oom_kill"));
        var user = counters.number("cpuacct.usage_user");
        var system = counters.number("cpuacct.usage_sys");
        var throttled = counters.keyed("cpu.stat", "throttled_time");
        var usage = new Ending.Usage(
                user >= 0 ? user / 1000 : counters.keyed("cpu.stat", "user_usec"),
                system >= 0 ? system / 1000 : counters.keyed("cpu.stat", "system_usec"),
                counters.keyed("cpu.stat", "nr_throttled"),
                throttled >= 0 ? throttled / 1000 : counters.keyed("cpu.stat", "throttled_usec"),
                Math.max(counters.number("memory.max_usage_in_bytes"), counters.number("memory.peak")),
                oomKills,
                -1,
                -1,
                -1,
                -1,
                oomKills > 0 ? level(counters) : "");
        return new Evidence(level(counters), usage);
    }

    /// Version 2 counts how often the job was out of memory at its own limit (`oom`; `max` also counts what
    /// reclaim could mend). Version 1 has a counter too (`memory.failcnt`), which newer kernels leave at zero;
    /// there a job met its limit if its peak came so near that no more could be had. Without any of these it is
    /// the job that is blamed.
    private static String level(Counters counters) {
        var met = counters.keyed("memory.events", "oom");
        if (met >= 0) {
            return met > 0 ? "job" : "host";
        }
        var limit = counters.number("memory.limit_in_bytes");
        var peak = counters.number("memory.max_usage_in_bytes");
        return limit >= 0 && peak >= 0 && peak < limit - Math.max(limit / 64, NEAR) ? "host" : "job";
    }
}
