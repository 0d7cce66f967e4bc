package dev.bobbin.scheduler.http;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;

/// Where to listen.
public sealed interface Listen {

    /// An address and a port, 0 for any free one.
    record Tcp(String host, int port) implements Listen {
        public Tcp {
            if (host.isEmpty() || port < 0 || port > 65535) {
                throw new IllegalArgumentException("listen: a port is between 0 and 65535");
            }
        }

        /// Whether nobody outside this machine can reach it.
        boolean isLoopback() {
            return address().getAddress().isLoopbackAddress();
        }

        InetSocketAddress address() {
            try {
                return new InetSocketAddress(InetAddress.getByName(host), port);
            } catch (UnknownHostException e) {
                throw new IllegalArgumentException("listen: there is no address for " + host, e);
            }
        }

        @Override
        public String toString() {
            return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port;
        }
    }

    /// A socket in the file system that only its owner may open.
    record Unix(Path path) implements Listen {
        @Override
        public String toString() {
            return "unix:" + path;
        }
    }

    /// The listener written as `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`.
    static Listen parse(String text) {
        if (text.startsWith("unix:")) {
            return new Unix(Path.of(text.substring("unix:".length())).toAbsolutePath());
        }
        var colon = text.lastIndexOf(':');
        if (colon < 1 || !text.substring(colon + 1).matches("[0-9]{1,5}")) {
            throw new IllegalArgumentException("listen: must be HOST:PORT or unix:PATH, not " + text);
        }
        var host = text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        return new Tcp(host, Integer.parseInt(text.substring(colon + 1)));
    }
}
