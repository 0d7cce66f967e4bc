package dev.bobbin.image.registry.wire;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/// How long servers are waited for, and whose certificates are trusted.
///
/// @param connect time for the look-up of a name, the connection and the TLS handshake
/// @param answer time for the head of an answer once the request was sent
/// @param stall time in which at least some bytes of a body must come or go
/// @param idle how long a connection is kept for the next request
/// @param authorities by host or host:port, a PEM file of further certificates trusted for it
public record WireConfig(
        Duration connect, Duration answer, Duration stall, Duration idle, Map<String, Path> authorities) {
    public WireConfig {
        authorities = Map.copyOf(authorities);
        for (var time : new Duration[] {connect, answer, stall, idle}) {
            if (time.compareTo(Duration.ofMillis(1)) < 0 || time.compareTo(Duration.ofHours(1)) > 0) {
                throw new IllegalArgumentException("a time to wait lies between 1 ms and 1 h");
            }
        }
    }

    public static WireConfig defaults() {
        return new WireConfig(
                Duration.ofSeconds(10),
                Duration.ofSeconds(30),
                Duration.ofSeconds(60),
                Duration.ofSeconds(15),
                Map.of());
    }
}
