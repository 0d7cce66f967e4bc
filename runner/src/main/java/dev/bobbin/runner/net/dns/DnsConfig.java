package dev.bobbin.runner.net.dns;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;

/// Whom sandboxes' questions are passed on to.
///
/// @param servers in the order in which they are asked; empty for those of `resolvConf`
/// @param resolvConf the machine's own, read again whenever it changed
public record DnsConfig(List<InetSocketAddress> servers, Path resolvConf) {
    /// The machine's own name servers.
    public static final DnsConfig MACHINE = new DnsConfig(List.of(), Path.of("/etc/resolv.conf"));

    public DnsConfig {
        servers = List.copyOf(servers);
    }
}
