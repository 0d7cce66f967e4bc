package dev.bobbin.ops.config;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;

/// One address on which the API is served, written `HOST:PORT`, `[IPv6]:PORT` or `unix:PATH`.
public sealed interface Listen {

    /// Port 0 takes a free one.
    record Tcp(String host, InetSocketAddress address) implements Listen {
        public boolean isLoopback() {
            return address.getAddress().isLoopbackAddress();
        }
    }

    record Unix(Path path) implements Listen {}

    static Listen parse(String text) {
        if (text.startsWith("unix:")) {
            var path = text.substring("unix:".length());
            if (path.isEmpty()) {
                throw new ConfigException("listen: \"unix:\" needs a path, as in unix:/run/bobbin/other.sock.");
            }
            return new Unix(Path.of(path).toAbsolutePath().normalize());
        }
        var colon = text.lastIndexOf(':');
        var host = colon < 0 ? "" : text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        if (host.isEmpty()) {
            throw new ConfigException(
                    "listen: \"" + text + "\" must be HOST:PORT or unix:PATH, as in 127.0.0.1:8080 or 0.0.0.0:8080.");
        }
        try {
            return new Tcp(host, new InetSocketAddress(InetAddress.getByName(host), port(text, colon)));
        } catch (UnknownHostException _) {
            throw new ConfigException("listen: the host name \"" + host + "\" has no address.");
        }
    }

    private static int port(String text, int colon) {
        try {
            var port = Integer.parseInt(text.substring(colon + 1));
            if (port >= 0 && port <= 65535) {
                return port;
            }
        } catch (NumberFormatException _) {
            // refused below like a number out of range
        }
        throw new ConfigException("listen: \"" + text + "\" must end with a port between 0 and 65535.");
    }
}
