package dev.bobbin.runner.net;

import dev.bobbin.runner.Cidr;
import dev.bobbin.runner.kernel.KernelException;
import dev.bobbin.runner.kernel.Netlink;
import dev.bobbin.runner.kernel.NetlinkMessage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.IntPredicate;

/// Links of this machine's network that carry the name of one Bobbin: the bridge, which holds the gateway's address,
/// and one link to each sandbox. For one thread.
final class Links implements AutoCloseable {
    private static final Path NET = Path.of("/sys/class/net");
    private static final Path SETTINGS = Path.of("/proc/sys/net/ipv4/conf");
    private static final String INSIDE = "eth0";

    /// Above what the kernel numbers links with itself; eth0's, which is no link's of this machine.
    private static final int FIRST_NUMBER = 1 << 30;

    private static final int NUMBER_BITS = 24;

    private static final int EBUSY = 16;
    private static final int EEXIST = 17;
    private static final int ENODEV = 19;

    private static final int NEW_LINK = 16;
    private static final int DELETE_LINK = 17;
    private static final int NEW_ADDRESS = 20;
    private static final int NEW_ROUTE = 24;
    private static final int GET_ROUTE = 26;
    private static final int UP = 1;
    private static final int INET = 2;

    private static final int LINK_NAME = 3;
    private static final int LINK_KIND_AND_DATA = 18;
    private static final int LINK_NAMESPACE_OF_PID = 19;
    private static final int KIND = 1;
    private static final int DATA = 2;
    private static final int PEER = 1;

    private static final int ADDRESS = 1;
    private static final int LOCAL_ADDRESS = 2;

    private static final int ROUTE_TO = 1;
    private static final int ROUTE_BY = 4;
    private static final int ROUTE_SOURCE = 7;
    private static final int MAIN_TABLE = 254;
    private static final int BY_ADMINISTRATOR = 4;
    private static final int SCOPE_UNIVERSE = 0;
    private static final int SCOPE_LINK = 253;
    private static final int UNICAST = 1;
    private static final int WHOLE_ADDRESS = 32;
    private static final int ROUTE_HEADER = 12;

    private final Netlink netlink = Netlink.open();
    private final String bridge;

    /// @param bridge name of the bridge, with which the names of all others begin
    Links(String bridge) {
        this.bridge = bridge;
    }

    /// How the link to the sandbox with address number `index` is called; nobody else can have the same.
    String name(int index) {
        return bridge + "-" + Integer.toHexString(index);
    }

    /// The names of all links of this Bobbin, the bridge first; whatever is there was made by it.
    static List<String> present(String bridge) {
        var names = new ArrayList<String>();
        try (var links = Files.newDirectoryStream(NET, bridge + "*")) {
            links.forEach(link -> names.add(link.getFileName().toString()));
            Collections.sort(names);
            return names;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Makes the bridge with the gateway's address. What of `part` no sandbox has leads to it, where nobody is.
    void makeBridge(Cidr part, Inet4Address gateway) {
        var made = netlink.request(link(NEW_LINK, NetlinkMessage.ONLY_NEW, 0, UP)
                .attribute(LINK_NAME, bridge)
                .begin(LINK_KIND_AND_DATA)
                .attribute(KIND, "bridge")
                .end());
        check(made, "make the bridge " + bridge);
        var address = gateway.getAddress();
        check(
                netlink.request(new NetlinkMessage(NEW_ADDRESS, NetlinkMessage.ACKNOWLEDGE | NetlinkMessage.ONLY_NEW)
                        .bytes(INET, part.prefix(), 0, SCOPE_UNIVERSE)
                        .number(index(bridge))
                        .attribute(LOCAL_ADDRESS, address)
                        .attribute(ADDRESS, address)),
                "give the bridge its address");
    }

    /// Takes the bridge away, if it is there.
    void removeBridge() {
        remove(bridge);
    }

    /// Makes a link whose other end is `eth0` in the network of the process `pid`, where it is up; up on both ends, and
    /// with a route.
    ///
    /// @return false if a link of that address is there
    boolean make(int index, Inet4Address address, Inet4Address gateway, int pid) {
        var name = name(index);
        // before 6.15 the kernel looks for eth0 here and not there, unless it has a number to look for
        var made = netlink.request(link(NEW_LINK, NetlinkMessage.ONLY_NEW, FIRST_NUMBER, UP)
                .attribute(LINK_NAME, INSIDE)
                .attribute(LINK_NAMESPACE_OF_PID, pid)
                .begin(LINK_KIND_AND_DATA)
                .attribute(KIND, "veth")
                .begin(DATA)
                .begin(PEER)
                .bytes(0, 0, 0, 0)
                .number(number(address))
                .number(0)
                .number(0)
                .attribute(LINK_NAME, name)
                .end()
                .end()
                .end());
        if (made == EEXIST || made == EBUSY) {
            return false;
        }
        check(made, "make the link " + name);
        // up after the other end, so that this end sends from the first moment on
        check(netlink.request(link(NEW_LINK, 0, 0, UP).attribute(LINK_NAME, name)), "bring " + name + " up");
        check(
                netlink.request(
                        route(address).attribute(ROUTE_BY, index(name)).attribute(ROUTE_SOURCE, gateway.getAddress())),
                "lead " + address.getHostAddress() + " to " + name);
        return true;
    }

    /// What the kernel is to number the link to `address` with, which no other Bobbin of this machine gives.
    private static int number(Inet4Address address) {
        return FIRST_NUMBER + (ByteBuffer.wrap(address.getAddress()).getInt() & ((1 << NUMBER_BITS) - 1));
    }

    /// Lets answers that come from `index` go to 127.0.0.1, where a port of it is published.
    void answerLoopback(int index) {
        set(SETTINGS.resolve(name(index)).resolve("route_localnet"));
    }

    /// Numbers of the addresses to which there is a link.
    BitSet indexes() {
        var prefix = bridge + "-";
        var all = new BitSet();
        for (var link : present(bridge)) {
            if (link.startsWith(prefix)) {
                all.set(Integer.parseInt(link, prefix.length(), link.length(), 16));
            }
        }
        return all;
    }

    /// Takes away the links to those sandboxes whose addresses have such numbers.
    void removeAll(IntPredicate indexes) {
        indexes().stream().filter(indexes).forEach(this::remove);
    }

    void remove(int index) {
        remove(name(index));
    }

    private void remove(String name) {
        var gone = netlink.request(link(DELETE_LINK, 0, 0, 0).attribute(LINK_NAME, name));
        check(gone == ENODEV ? 0 : gone, "remove the link " + name);
    }

    /// Lets this machine pass packets on between its links.
    static void forward() {
        set(Path.of("/proc/sys/net/ipv4/ip_forward"));
    }

    private static void set(Path file) {
        try {
            if (!Files.readString(file).strip().equals("1")) {
                Files.writeString(file, "1");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Where this machine has routes to, but for the ways to everywhere.
    List<Cidr> routes() {
        var all = new ArrayList<Cidr>();
        netlink.list(
                new NetlinkMessage(GET_ROUTE, NetlinkMessage.LIST)
                        .bytes(INET, 0, 0, 0, 0, 0, 0, 0)
                        .number(0),
                answer -> destination(answer).ifPresent(all::add));
        return all;
    }

    private static Optional<Cidr> destination(ByteBuffer route) {
        int prefix = route.get(1);
        for (var at = ROUTE_HEADER; at + 4 <= route.limit(); ) {
            int length = route.getShort(at);
            if (route.getShort(at + 2) == ROUTE_TO && prefix > 0) {
                var bytes = new byte[Integer.BYTES];
                route.get(at + 4, bytes);
                return Optional.of(new Cidr(address(bytes), prefix));
            }
            at += Math.max(4, (length + 3) / 4 * 4);
        }
        return Optional.empty();
    }

    private static Inet4Address address(byte[] bytes) {
        try {
            return (Inet4Address) InetAddress.getByAddress(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static NetlinkMessage link(int type, int flags, int index, int state) {
        return new NetlinkMessage(type, NetlinkMessage.ACKNOWLEDGE | flags)
                .bytes(0, 0, 0, 0)
                .number(index)
                .number(state)
                .number(state);
    }

    private static NetlinkMessage route(Inet4Address to) {
        return new NetlinkMessage(NEW_ROUTE, NetlinkMessage.ACKNOWLEDGE | NetlinkMessage.ONLY_NEW)
                .bytes(INET, WHOLE_ADDRESS, 0, 0, MAIN_TABLE, BY_ADMINISTRATOR, SCOPE_LINK, UNICAST)
                .number(0)
                .attribute(ROUTE_TO, to.getAddress());
    }

    private static int index(String name) {
        try {
            return Integer.parseInt(
                    Files.readString(NET.resolve(name).resolve("ifindex")).strip());
        } catch (IOException e) {
            throw new UncheckedIOException("find the link " + name, e);
        }
    }

    private static void check(int error, String what) {
        if (error != 0) {
            throw new KernelException(what + ": error " + error + " of the kernel");
        }
    }

    @Override
    public void close() {
        netlink.close();
    }
}
