package dev.bobbin.image.registry.wire;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Set;

/// What is taken from a server that names another place: in a redirect, a realm, an upload's location, a layer's URLs.
/// Never the way from https to http; http at all only on the host that is spoken to so already, or a configured one.
/// Where the place lies is judged when it is connected to.
///
/// @param plain `host` or `host:port` that may be spoken to without TLS
public record Referrals(Set<String> plain) {
    private static final int LONGEST = 16 << 10;

    public Referrals {
        plain = Set.copyOf(plain);
    }

    /// The place that a server named.
    ///
    /// @param base what was asked when it did
    /// @param place as it wrote it, absolute or relative
    public URI judge(URI base, String place) throws RefusedException {
        var from = Origin.of(base);
        if (place.isEmpty() || place.length() > LONGEST) {
            throw new RefusedException(from + " refers to nowhere");
        }
        try {
            var uri = base.resolve(new URI(place));
            var to = Origin.of(uri);
            if (from.tls() && !to.tls()) {
                throw new RefusedException(from + " refers to " + to + ": refused to leave https");
            }
            if (!to.tls() && !to.host().equals(from.host()) && !permits(to)) {
                throw new RefusedException(from + " refers to " + to + ": refused to use plain http");
            }
            return uri;
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw new RefusedException(from + " refers to a place that is no http address");
        }
    }

    /// Whether `origin` may be spoken to without TLS.
    public boolean permits(Origin origin) {
        return plain.contains(origin.host()) || plain.contains(origin.authority());
    }
}
