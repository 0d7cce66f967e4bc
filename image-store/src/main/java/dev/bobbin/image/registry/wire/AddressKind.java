package dev.bobbin.image.registry.wire;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;

/// How far inside an address lies. The order matters: each kind lies further inside than those before it, and a server
/// may only refer to kinds that do not lie further inside than itself.
public enum AddressKind {
    /// Reachable from anywhere.
    PUBLIC,
    /// Of a private network: RFC 1918, carrier-grade NAT, unique local IPv6.
    PRIVATE,
    /// This machine.
    LOOPBACK,
    /// Of this link, and wherever clouds keep the metadata and credentials of a machine.
    LINK_LOCAL,
    /// No host's address, or one that hides another: unspecified, multicast, reserved, tunnels.
    UNUSABLE;

    /// Cloud metadata outside the link-local range: AWS (IPv6), Alibaba, Azure, Oracle.
    private static final List<Network> METADATA =
            networks("fd00:ec2::/32", "fd20:ce::254/128", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32");

    private static final List<Network> UNUSABLES = networks(
            "0.0.0.0/8",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/3",
            "::/96",
            "64:ff9b:1::/48",
            "100::/64",
            "2001::/23",
            "2001:db8::/32",
            "2002::/16",
            "3fff::/20",
            "5f00::/16",
            "ff00::/8");
    private static final List<Network> PRIVATES =
            networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10");
    private static final Network TRANSLATED = Network.parse("64:ff9b::/96");

    /// The kind of `address`. An IPv4 address behind a NAT64 prefix counts as what it stands for.
    public static AddressKind of(InetAddress address) {
        if (address.isLoopbackAddress()) {
            return LOOPBACK;
        }
        if (address.isLinkLocalAddress() || within(METADATA, address)) {
            return LINK_LOCAL;
        }
        if (address instanceof Inet6Address && TRANSLATED.contains(address)) {
            return of(last4(address));
        }
        if (within(UNUSABLES, address)) {
            return UNUSABLE;
        }
        return within(PRIVATES, address) ? PRIVATE : PUBLIC;
    }

    private static InetAddress last4(InetAddress address) {
        try {
            return Inet4Address.getByAddress(Arrays.copyOfRange(address.getAddress(), 12, 16));
        } catch (UnknownHostException e) {
            throw new IllegalStateException("four bytes are an address", e);
        }
    }

    private static boolean within(List<Network> networks, InetAddress address) {
        return networks.stream().anyMatch(network -> network.contains(address));
    }

    private static List<Network> networks(String... texts) {
        return Arrays.stream(texts).map(Network::parse).toList();
    }
}
