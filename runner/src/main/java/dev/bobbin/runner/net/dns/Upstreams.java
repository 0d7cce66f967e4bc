package dev.bobbin.runner.net.dns;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The name servers to ask, in the order in which to ask them: one that was silent lately comes last.
final class Upstreams {
    private static final int PORT = 53;
    private static final long LATELY = Duration.ofSeconds(10).toNanos();

    private final DnsConfig config;
    private final Map<InetSocketAddress, Long> silent = new ConcurrentHashMap<>();
    private volatile @Nullable Reading reading;

    /// What a file said when it was as its attributes say.
    private record Reading(Object key, List<InetSocketAddress> servers) {}

    Upstreams(DnsConfig config) {
        this.config = config;
    }

    List<InetSocketAddress> inOrder() {
        var servers = config.servers().isEmpty() ? machines() : config.servers();
        if (silent.isEmpty()) {
            return servers;
        }
        var now = System.nanoTime();
        silent.values().removeIf(since -> now - since > LATELY);
        return servers.stream()
                .sorted(Comparator.comparing(silent::containsKey))
                .toList();
    }

    void wasSilent(InetSocketAddress server) {
        silent.put(server, System.nanoTime());
    }

    void spoke(InetSocketAddress server) {
        silent.remove(server);
    }

    private List<InetSocketAddress> machines() {
        try {
            var file = Files.readAttributes(config.resolvConf(), BasicFileAttributes.class);
            var key = List.of(file.lastModifiedTime(), file.size(), String.valueOf(file.fileKey()));
            var known = reading;
            if (known == null || !known.key.equals(key)) {
                known = new Reading(key, servers(Files.readAllLines(config.resolvConf())));
                reading = known;
            }
            return known.servers;
        } catch (IOException _) {
            // as resolv.conf(5) has it for a machine without that file
            return List.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), PORT));
        }
    }

    private static List<InetSocketAddress> servers(List<String> lines) {
        var servers = new ArrayList<InetSocketAddress>();
        for (var line : lines) {
            var words = line.strip().split("\\s+", -1);
            if (words.length >= 2 && words[0].equals("nameserver")) {
                address(words[1]).ifPresent(address -> servers.add(new InetSocketAddress(address, PORT)));
            }
        }
        return servers.isEmpty()
                ? List.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), PORT))
                : List.copyOf(servers);
    }

    private static Optional<InetAddress> address(String text) {
        try {
            return Optional.of(InetAddress.ofLiteral(text));
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }
}
