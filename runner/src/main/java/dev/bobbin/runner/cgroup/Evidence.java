package dev.bobbin.runner.cgroup;

import dev.bobbin.runner.Ending;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

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
        var oomKills =
                Math.max(keyed(files, "memory.oom_control", "oom_kill"), keyed(files, "memory.events", "oom_kill"));
        var user = number(files, "cpuacct.usage_user");
        var system = number(files, "cpuacct.usage_sys");
        var throttled = keyed(files, "cpu.stat", "throttled_time");
        var usage = new Ending.Usage(
                user >= 0 ? user / 1000 : keyed(files, "cpu.stat", "user_usec"),
                system >= 0 ? system / 1000 : keyed(files, "cpu.stat", "system_usec"),
                keyed(files, "cpu.stat", "nr_throttled"),
                throttled >= 0 ? throttled / 1000 : keyed(files, "cpu.stat", "throttled_usec"),
                Math.max(number(files, "memory.max_usage_in_bytes"), number(files, "memory.peak")),
                oomKills,
                -1,
                -1,
                -1,
                -1,
                oomKills > 0 ? level(files) : "");
        return new Evidence(level(files), usage);
    }

    /// Version 2 counts how often the job was out of memory at its own limit (`oom`; `max` also counts what
    /// reclaim could mend). Version 1 has a counter too (`memory.failcnt`), which newer kernels leave at zero;
    /// there a job met its limit if its peak came so near that no more could be had. Without any of these it is
    /// the job that is blamed.
    private static String level(Map<String, String> files) {
        var met = keyed(files, "memory.events", "oom");
        if (met >= 0) {
            return met > 0 ? "job" : "host";
        }
        var limit = number(files, "memory.limit_in_bytes");
        var peak = number(files, "memory.max_usage_in_bytes");
        return limit >= 0 && peak >= 0 && peak < limit - Math.max(limit / 64, NEAR) ? "host" : "job";
    }

    private static long number(Map<String, String> files, String file) {
        return parse(files.getOrDefault(file, "").trim());
    }

    private static long keyed(Map<String, String> files, String file, String key) {
        var text = files.getOrDefault(file, "");
        for (var start = 0; start < text.length(); ) {
            var end = text.indexOf('\n', start);
            var line = end < 0 ? text.length() : end;
            var value = start + key.length();
            if (value < line && text.charAt(value) == ' ' && text.startsWith(key, start)) {
                return parse(text.substring(value + 1, line).trim());
            }
            start = line + 1;
        }
        return -1;
    }

    private static long parse(String text) {
        if (text.isEmpty()) {
            return -1;
        }
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException _) {
            return -1;
        }
    }
}
