package dev.bobbin.runner.net;

import dev.bobbin.runner.Cidr;
import java.util.List;

/// Addresses that are not the internet.
final class Ranges {
    /// Whose machines somebody owns who did not mean to serve jobs; the configuration may open parts of them.
    static final List<Cidr> PRIVATE = List.of(
            Cidr.of("10.0.0.0/8"), Cidr.of("172.16.0.0/12"), Cidr.of("192.168.0.0/16"), Cidr.of("100.64.0.0/10"));

    /// Never open: this network, loopback, link-local with the clouds' metadata, protocols' own, benchmarks',
    /// multicast, reserved and broadcast. Metadata is also at 168.63.129.16, 100.100.100.200 and in 192.0.0.0/24.
    static final List<Cidr> CLOSED = List.of(
            Cidr.of("0.0.0.0/8"),
            Cidr.of("127.0.0.0/8"),
            Cidr.of("169.254.0.0/16"),
            Cidr.of("168.63.129.16/32"),
            Cidr.of("100.100.100.200/32"),
            Cidr.of("192.0.0.0/24"),
            Cidr.of("192.88.99.0/24"),
            Cidr.of("198.18.0.0/15"),
            Cidr.of("224.0.0.0/3"));

    private Ranges() {}
}
