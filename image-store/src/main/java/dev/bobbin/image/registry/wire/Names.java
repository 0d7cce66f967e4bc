package dev.bobbin.image.registry.wire;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;

/// The look-up of names. Asked once for each connection; what it answers is what is judged and connected to.
@FunctionalInterface
public interface Names {
    List<InetAddress> addresses(String host) throws UnknownHostException;

    /// This machine's own resolver.
    static Names system() {
        return host -> List.of(InetAddress.getAllByName(host));
    }
}
