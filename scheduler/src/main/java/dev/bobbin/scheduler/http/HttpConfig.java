package dev.bobbin.scheduler.http;

import dev.bobbin.image.ImageReference;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/// Settings of the front.
///
/// @param listen where to listen, at least one place
/// @param allowedHosts names by which callers may call this server besides its addresses
/// @param allowedOrigins origins of web pages that may call it, such as `https://jobs.example`
/// @param defaultImage what runs when a request names no image
/// @param grace how long a stop waits for answers that are being sent
/// @param stalled how long a client may take nothing of what is sent to it, or leave a request unfinished, before it is
///        let go
public record HttpConfig(
        List<Listen> listen,
        List<String> allowedHosts,
        List<String> allowedOrigins,
        ImageReference defaultImage,
        Duration grace,
        Duration stalled,
        List<Path> sharedPrefixes) {
    /// Those of minibox.
    public static final List<Path> USUALLY_SHARED = Stream.of(
                    "/home", "/tmp", "/var/lib/minibox", "/root", "/srv", "/opt", "/usr/local/src")
            .map(Path::of)
            .toList();

    public static final Duration USUALLY_STALLED = Duration.ofMinutes(1);

    public HttpConfig {
        listen = List.copyOf(listen);
        allowedHosts = List.copyOf(allowedHosts);
        allowedOrigins = List.copyOf(allowedOrigins);
        sharedPrefixes = List.copyOf(sharedPrefixes);
        if (listen.isEmpty()) {
            throw new IllegalArgumentException("listen: name at least one place to listen");
        }
        if (!sharedPrefixes.stream().allMatch(HttpConfig::canBeShared)) {
            throw new IllegalArgumentException(
                    "shared-prefixes: must be absolute paths, and not /, /proc, /sys or /dev");
        }
        if (!stalled.isPositive()) {
            throw new IllegalArgumentException("stalled: must be more than nothing");
        }
        if (grace.isNegative()) {
            throw new IllegalArgumentException("grace: must not be negative");
        }
    }

    public HttpConfig(List<Listen> listen, List<String> allowedHosts, List<String> allowedOrigins) {
        this(
                listen,
                allowedHosts,
                allowedOrigins,
                ImageReference.HOST,
                Duration.ofSeconds(1),
                USUALLY_STALLED,
                USUALLY_SHARED);
    }

    private static boolean canBeShared(Path prefix) {
        var plain = prefix.normalize();
        return prefix.isAbsolute()
                && plain.getNameCount() > 0
                && Stream.of("/proc", "/sys", "/dev").noneMatch(plain::startsWith);
    }
}
