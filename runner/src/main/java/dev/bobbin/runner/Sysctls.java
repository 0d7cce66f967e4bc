package dev.bobbin.runner;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/// Settings of the kernel that are a sandbox's own: of its message queues, semaphores and shared memory, and of its
/// network unless that is the machine's. They are set before its first instruction, in this order, and nothing inside
/// can change them.
///
/// @param values by name with dots, such as `net.core.somaxconn`
public record Sysctls(Map<String, String> values) {
    public static final int MOST = 64;
    /// None are asked for.
    public static final Sysctls NONE = new Sysctls(Map.of());

    private static final int LONGEST_NAME = 128;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]+(?:\\.[A-Za-z0-9_-]+)*");
    private static final Pattern VALUE = Pattern.compile("[\\x20-\\x7e\\t]{1,256}");
    private static final Set<String> OF_PROCESSES = Set.of(
            "kernel.msgmax",
            "kernel.msgmnb",
            "kernel.msgmni",
            "kernel.sem",
            "kernel.shmall",
            "kernel.shmmax",
            "kernel.shmmni",
            "kernel.shm_rmid_forced");
    private static final String OF_QUEUES = "fs.mqueue.";
    private static final String OF_NETWORK = "net.";
    private static final Pattern IPV6_SWITCH = Pattern.compile("net\\.ipv6\\.conf\\.(?!lo\\.)[^.]+\\.disable_ipv6");

    public Sysctls {
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
        JobFields.require(values.size() <= MOST, "sysctls: there are at most " + MOST + " of them");
        values.forEach(Sysctls::check);
    }

    private static void check(String name, String value) {
        JobFields.require(
                name.length() <= LONGEST_NAME && NAME.matcher(name).matches(),
                "sysctls: a name is words with dots between them, such as net.core.somaxconn");
        JobFields.require(
                OF_PROCESSES.contains(name) || name.startsWith(OF_QUEUES) || name.startsWith(OF_NETWORK),
                field(name) + "is of the whole machine; a sandbox has its own net.*, fs.mqueue.*, kernel.msgmax,"
                        + " kernel.msgmnb, kernel.msgmni, kernel.sem, kernel.shmall, kernel.shmmax, kernel.shmmni and"
                        + " kernel.shm_rmid_forced");
        JobFields.require(
                VALUE.matcher(value).matches() && !value.isBlank(),
                field(name) + "must be 1 to 256 printable ASCII characters");
    }

    private static String field(String name) {
        return "sysctls." + name + ": ";
    }

    /// Refuses what cannot be of a sandbox with `network`.
    void checkWith(Network network) {
        values.forEach((name, value) -> {
            switch (network) {
                case Network.None _ -> {}
                case Network.Bridge _ ->
                    JobFields.require(
                            value.equals("1") || !IPV6_SWITCH.matcher(name).matches(),
                            field(name) + "must be 1, as a bridge has no IPv6");
                case Network.Host _ ->
                    JobFields.require(
                            !name.startsWith(OF_NETWORK),
                            field(name) + "is of the machine's own network, which this sandbox is to have");
            }
        });
    }
}
