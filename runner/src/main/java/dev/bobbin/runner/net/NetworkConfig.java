package dev.bobbin.runner.net;

import dev.bobbin.runner.Cidr;
import java.net.InetSocketAddress;
import java.util.List;

/// What of networks jobs may have on this machine. A wrong value is an [IllegalArgumentException] that starts with the
/// setting's key.
///
/// @param host whether a job may have this machine's own network
/// @param range private addresses of which each Bobbin on this machine takes a part for its bridge
/// @param allowed private ranges that a job may ask to reach; none that lies outside is ever let through
/// @param dns name servers that are asked for what no sandbox is called; none: those of `/etc/resolv.conf`
public record NetworkConfig(boolean host, Cidr range, List<Cidr> allowed, List<InetSocketAddress> dns) {
    /// Of a Bobbin's own part of the range.
    public static final int PART_PREFIX = 18;

    /// No private range, not this machine's network, and the machine's own name servers.
    public static final NetworkConfig STANDARD =
            new NetworkConfig(false, Cidr.of("10.128.0.0/10"), List.of(), List.of());

    public NetworkConfig {
        require(range.prefix() >= 8 && range.prefix() <= PART_PREFIX, "network.range: has a prefix of 8 to 18");
        require(
                Ranges.PRIVATE.stream().anyMatch(each -> each.contains(range)),
                "network.range: " + range + " must lie in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10");
        allowed = List.copyOf(allowed);
        for (var each : allowed) {
            require(
                    Ranges.PRIVATE.stream().anyMatch(known -> known.contains(each)),
                    "network.allowed: " + each + " is no private range");
            require(!each.meets(range), "network.allowed: " + each + " has addresses of network.range");
        }
        dns = List.copyOf(dns);
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
