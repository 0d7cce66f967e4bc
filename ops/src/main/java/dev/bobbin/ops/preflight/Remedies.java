package dev.bobbin.ops.preflight;

import java.util.Map;

/// What to do about a check that fails.
final class Remedies {
    private static final String BUG = "this is a fault of Bobbin or of a kernel it was not tried on: report it with"
            + " \"bobbin preflight --json\" and \"uname -r\", and run nothing here that is not trusted";
    private static final String FILTER =
            "remove host.seccomp from the configuration, or refuse the call in that profile";

    private static final Map<String, String> KNOWN = Map.ofEntries(
            Map.entry("seccomp", FILTER),
            Map.entry("system-calls", FILTER),
            Map.entry("foreign-calls", FILTER),
            Map.entry("keyrings", FILTER),
            Map.entry("sockets", FILTER),
            Map.entry("terminals", FILTER),
            Map.entry("limit-memory", "make the cgroup controller \"memory\" available, and boot with swapaccount=1"),
            Map.entry("limit-pids", "make the cgroup controller \"pids\" available"),
            Map.entry("limit-cpus", "make the cgroup controller \"cpu\" available, with CONFIG_CFS_BANDWIDTH"));

    private Remedies() {}

    static String of(String check) {
        return KNOWN.getOrDefault(check, BUG);
    }
}
