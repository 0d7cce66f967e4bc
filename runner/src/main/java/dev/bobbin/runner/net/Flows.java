package dev.bobbin.runner.net;

import dev.bobbin.runner.kernel.KernelException;
import dev.bobbin.runner.kernel.Netlink;
import dev.bobbin.runner.kernel.NetlinkMessage;
import java.net.Inet4Address;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// What the kernel remembers of flows, by which it leads answers back to an address that it has translated. A flow
/// outlives the sandbox that began it, and whoever has its address next would get the answers. For one thread.
final class Flows implements AutoCloseable {
    private static final int FLOWS = 1 << 8;
    private static final int GET = FLOWS | 1;
    private static final int DELETE = FLOWS | 2;
    private static final int INET = 2;
    private static final int ENOENT = 2;

    private static final int HEADER = 4;
    private static final int ATTRIBUTE_HEADER = 4;
    /// Without the bits that say how it is written.
    private static final int TYPE = 0x3fff;

    private static final int ORIGINAL = 1;
    private static final int REPLY = 2;
    private static final int ID = 12;
    private static final int ZONE = 18;
    private static final int ADDRESSES = 1;
    private static final int FROM = 1;
    private static final int TO = 2;

    private final Netlink netlink = Netlink.openForFilters();

    /// Lets the kernel forget those from and to addresses that are `gone`.
    ///
    /// @return how many these were
    int forget(Predicate<Inet4Address> gone) {
        var requests = new ArrayList<NetlinkMessage>();
        netlink.list(message(GET, NetlinkMessage.LIST), flow -> {
            var attributes = attributes(flow.position(HEADER));
            if (touches(attributes.get(ORIGINAL), gone) || touches(attributes.get(REPLY), gone)) {
                requests.add(request(attributes));
            }
        });
        requests.forEach(this::forget);
        return requests.size();
    }

    private static boolean touches(@Nullable ByteBuffer tuple, Predicate<Inet4Address> gone) {
        if (tuple == null) {
            return false;
        }
        var addresses = attributes(tuple).get(ADDRESSES);
        if (addresses == null) {
            return false;
        }
        var ends = attributes(addresses);
        return isGone(ends.get(FROM), gone) || isGone(ends.get(TO), gone);
    }

    private static boolean isGone(@Nullable ByteBuffer address, Predicate<Inet4Address> gone) {
        return address != null && gone.test(Inet4Address.ofLiteral(text(bytes(address))));
    }

    private static String text(byte[] address) {
        return (address[0] & 0xff) + "." + (address[1] & 0xff) + "." + (address[2] & 0xff) + "." + (address[3] & 0xff);
    }

    /// To forget the flow that has these.
    private static NetlinkMessage request(Map<Integer, ByteBuffer> attributes) {
        var request = message(DELETE, NetlinkMessage.ACKNOWLEDGE);
        for (var type : new int[] {ORIGINAL, ID, ZONE}) {
            var value = attributes.get(type);
            if (value != null) {
                request.attribute(type == ORIGINAL ? NetlinkMessage.NESTED | type : type, bytes(value));
            }
        }
        return request;
    }

    /// One that has ended meanwhile is forgotten already.
    private void forget(NetlinkMessage request) {
        var answer = netlink.request(request);
        if (answer != 0 && answer != ENOENT) {
            throw new KernelException("forget a flow: error " + answer + " of the kernel");
        }
    }

    private static NetlinkMessage message(int type, int flags) {
        return new NetlinkMessage(type, flags).bytes(INET, 0, 0, 0);
    }

    /// What is in `from`, by type.
    private static Map<Integer, ByteBuffer> attributes(ByteBuffer from) {
        var all = new HashMap<Integer, ByteBuffer>();
        for (var at = from.position(); at + ATTRIBUTE_HEADER <= from.limit(); ) {
            var length = Short.toUnsignedInt(from.getShort(at));
            if (length < ATTRIBUTE_HEADER || at + length > from.limit()) {
                break;
            }
            var value =
                    from.slice(at + ATTRIBUTE_HEADER, length - ATTRIBUTE_HEADER).order(ByteOrder.nativeOrder());
            all.put(from.getShort(at + 2) & TYPE, value);
            at += NetlinkMessage.aligned(length);
        }
        return all;
    }

    private static byte[] bytes(ByteBuffer value) {
        var bytes = new byte[value.remaining()];
        value.get(value.position(), bytes);
        return bytes;
    }

    @Override
    public void close() {
        netlink.close();
    }
}
