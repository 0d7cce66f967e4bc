package dev.bobbin.runner.net;

import dev.bobbin.runner.Cidr;
import dev.bobbin.runner.kernel.KernelException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Inet4Address;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;

/// The part of the range that one bridge has: the gateway's address, then its sandboxes'.
///
/// @param range its addresses
record Part(Cidr range) {
    /// Shared with every Bobbin of this machine: held while a part of the range is chosen.
    private static final Path CHOOSING = Path.of("/run/lock/bobbin/networks");

    private static final Object CHOOSING_HERE = new Object();
    /// The numbers of the first and the last address of a sandbox.
    static final int FIRST = 2;

    static final int LAST = (1 << (32 - NetworkConfig.PART_PREFIX)) - 2;

    /// That of the bridge of this name, if it is there.
    static Optional<Part> present(String name) {
        try {
            var link = NetworkInterface.getByName(name);
            return link == null
                    ? Optional.empty()
                    : link.inetAddresses()
                            .filter(Inet4Address.class::isInstance)
                            .map(address -> Cidr.around((Inet4Address) address, NetworkConfig.PART_PREFIX))
                            .map(Part::new)
                            .findFirst();
        } catch (SocketException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Takes a part of the range where this machine has no routes to, and makes the bridge in it.
    static Part choose(NetworkConfig config, Path runDir, Links links) {
        try {
            Files.createDirectories(CHOOSING.getParent());
            synchronized (CHOOSING_HERE) {
                try (var file = FileChannel.open(CHOOSING, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                        var _ = file.lock()) {
                    var free = free(config.range(), runDir, links.routes());
                    links.makeBridge(free.range, free.gateway());
                    return free;
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("choose addresses for the bridge of " + runDir, e);
        }
    }

    private static Part free(Cidr range, Path runDir, List<Cidr> routes) {
        var count = 1 << (NetworkConfig.PART_PREFIX - range.prefix());
        var first = BridgeName.number(runDir, count);
        for (var tried = 0; tried < count; tried++) {
            var candidate = range.part(NetworkConfig.PART_PREFIX, (first + tried) % count);
            if (routes.stream().noneMatch(candidate::meets)) {
                return new Part(candidate);
            }
        }
        throw new KernelException("no part of host.network.range " + range + " is free on this machine");
    }

    Inet4Address gateway() {
        return range.address(1);
    }

    Inet4Address address(int index) {
        return range.address(index);
    }

    int indexOf(Inet4Address address) {
        return range.indexOf(address);
    }

    @Override
    public String toString() {
        return range.toString();
    }
}
