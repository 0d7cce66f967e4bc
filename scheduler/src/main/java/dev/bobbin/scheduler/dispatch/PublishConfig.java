package dev.bobbin.scheduler.dispatch;

import java.net.Inet4Address;
import java.util.List;

/// Where callers who are no administrators may publish ports of sandboxes, besides loopback.
///
/// @param addresses of this machine; `0.0.0.0` for all
/// @param lowPorts whether also at ports below 1024
public record PublishConfig(List<Inet4Address> addresses, boolean lowPorts) {
    /// Nowhere else, and at no low port.
    public static final PublishConfig LOOPBACK = new PublishConfig(List.of(), false);

    public PublishConfig {
        addresses = List.copyOf(addresses);
    }

    /// Whether `address` was named, or lies among all.
    boolean has(Inet4Address address) {
        return address.isLoopbackAddress()
                || addresses.contains(address)
                || addresses.stream().anyMatch(Inet4Address::isAnyLocalAddress);
    }
}
