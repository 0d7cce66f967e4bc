package dev.bobbin.image.registry.wire;

import java.net.InetAddress;

/// A range of addresses, as `10.0.0.0/8` or `fd00::/8` writes it.
///
/// @param start an address of the range
/// @param bits how many leading bits all addresses of the range share
public record Network(InetAddress start, int bits) {
    public Network {
        if (bits < 0 || bits > start.getAddress().length * 8) {
            throw new IllegalArgumentException(
                    "a network has between 0 and " + start.getAddress().length * 8 + " leading bits");
        }
    }

    /// Parses `address/bits`, or a single address.
    public static Network parse(String text) {
        var slash = text.indexOf('/');
        var address = InetAddress.ofLiteral(slash < 0 ? text : text.substring(0, slash));
        try {
            return new Network(
                    address, slash < 0 ? address.getAddress().length * 8 : Integer.parseInt(text.substring(slash + 1)));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("not a network: " + text, e);
        }
    }

    public boolean contains(InetAddress address) {
        var mine = start.getAddress();
        var other = address.getAddress();
        if (mine.length != other.length) {
            return false;
        }
        for (var bit = 0; bit < bits; bit++) {
            if (((mine[bit / 8] ^ other[bit / 8]) & (0x80 >> bit % 8)) != 0) {
                return false;
            }
        }
        return true;
    }
}
