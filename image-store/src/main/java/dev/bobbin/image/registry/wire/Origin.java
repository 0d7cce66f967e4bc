package dev.bobbin.image.registry.wire;

import java.net.URI;
import java.util.Locale;
import java.util.regex.Pattern;

/// Where a server listens: scheme, host and port. Two URIs of one origin may share connections and credentials.
///
/// @param tls https if true, plain http if not
/// @param host a name or a literal address, in lower case; IPv6 without brackets
/// @param port between 1 and 65535
public record Origin(boolean tls, String host, int port) {
    private static final Pattern HOST = Pattern.compile("[a-z0-9]([a-z0-9._-]*[a-z0-9])?\\.?|[0-9a-f:]+(\\.[0-9.]+)?");
    private static final int LONGEST = 253;

    public Origin {
        host = host.toLowerCase(Locale.ROOT);
        if (host.length() > LONGEST || !HOST.matcher(host).matches()) {
            throw new IllegalArgumentException("not a host name or address: " + host);
        }
        if (port < 1 || port > 65_535) {
            throw new IllegalArgumentException("a port lies between 1 and 65535");
        }
    }

    /// The origin of an absolute http or https URI.
    ///
    /// @throws IllegalArgumentException for any other URI, and for one that carries a user or a password
    public static Origin of(URI uri) {
        var tls = "https".equalsIgnoreCase(uri.getScheme());
        if (!tls && !"http".equalsIgnoreCase(uri.getScheme())) {
            throw new IllegalArgumentException("neither http nor https");
        }
        if (uri.getHost() == null || uri.getRawUserInfo() != null) {
            throw new IllegalArgumentException("an address needs a host, and no user in front of it");
        }
        return of(tls, uri.getHost(), uri.getPort());
    }

    /// The origin that `host[:port]` names.
    public static Origin of(boolean tls, String authority) {
        var uri = URI.create("x://" + authority + "/");
        if (uri.getHost() == null || uri.getRawUserInfo() != null) {
            throw new IllegalArgumentException("not a host with an optional port: " + authority);
        }
        return of(tls, uri.getHost(), uri.getPort());
    }

    private static Origin of(boolean tls, String host, int port) {
        var bare = host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
        return new Origin(tls, bare, port >= 0 ? port : tls ? 443 : 80);
    }

    /// As the Host header has it: the port only where it is not the scheme's own.
    public String authority() {
        var shown = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
        return port == (tls ? 443 : 80) ? shown : shown + ":" + port;
    }

    /// Whether the host is an address rather than a name.
    public boolean literal() {
        return host.indexOf(':') >= 0 || Character.isDigit(host.charAt(host.lastIndexOf('.') + 1));
    }

    /// A URI of this origin.
    ///
    /// @param path begins with a slash, already escaped; may carry a query
    public URI at(String path) {
        return URI.create(this + path);
    }

    @Override
    public String toString() {
        return (tls ? "https://" : "http://") + authority();
    }
}
