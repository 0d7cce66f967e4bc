package dev.bobbin.scheduler.http;

import dev.bobbin.image.ImageReference;
import java.time.Duration;
import java.util.List;

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
        Duration stalled) {
    public static final Duration USUALLY_STALLED = Duration.ofMinutes(1);

    public HttpConfig {
        listen = List.copyOf(listen);
        allowedHosts = List.copyOf(allowedHosts);
        allowedOrigins = List.copyOf(allowedOrigins);
        if (listen.isEmpty()) {
            throw new IllegalArgumentException("listen: name at least one place to listen");
        }
        if (!stalled.isPositive()) {
            throw new IllegalArgumentException("stalled: must be more than nothing");
        }
        if (grace.isNegative()) {
            throw new IllegalArgumentException("grace: must not be negative");
        }
    }

    public HttpConfig(List<Listen> listen, List<String> allowedHosts, List<String> allowedOrigins) {
        this(listen, allowedHosts, allowedOrigins, ImageReference.HOST, Duration.ofSeconds(1), USUALLY_STALLED);
    }
}
