package dev.bobbin.runner;

import java.net.Inet4Address;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// A range of IPv4 addresses, `10.1.0.0/16`.
///
/// @param base its first address
/// @param prefix how many leading bits all of them share
public record Cidr(Inet4Address base, int prefix) {
    private static final int BITS = 32;
    private static final Pattern SHAPE = Pattern.compile("(\\d{1,3}(?:\\.\\d{1,3}){3})(?:/(\\d{1,2}))?");

    public Cidr {
        JobFields.require(prefix >= 0 && prefix <= BITS, "a range's prefix is between 0 and 32");
        JobFields.require(
                (number(base) & ~mask(prefix)) == 0,
                "a range begins with its first address: " + base.getHostAddress() + "/" + prefix + " does not");
    }

    /// The range that `text` writes, a single address included; nothing if it writes none.
    public static Optional<Cidr> parse(String text) {
        var match = SHAPE.matcher(text);
        if (!match.matches()) {
            return Optional.empty();
        }
        try {
            var prefix = match.group(2) == null ? BITS : Integer.parseInt(match.group(2));
            return Optional.of(new Cidr(Inet4Address.ofLiteral(match.group(1)), prefix));
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }

    /// The range that `text` certainly writes.
    public static Cidr of(String text) {
        return parse(text).orElseThrow(() -> new IllegalArgumentException("\"" + text + "\" is no IPv4 range"));
    }

    /// The range of `prefix` leading bits that `address` is in.
    public static Cidr around(Inet4Address address, int prefix) {
        return new Cidr(address32(number(address) & mask(prefix)), prefix);
    }

    public boolean contains(Inet4Address address) {
        return (number(address) & mask(prefix)) == number(base);
    }

    /// Whether all of `other` lies in this one.
    public boolean contains(Cidr other) {
        return other.prefix >= prefix && contains(other.base);
    }

    /// Whether they have an address in common.
    public boolean meets(Cidr other) {
        return contains(other) || other.contains(this);
    }

    /// Its address number `index`, counted from its first.
    public Inet4Address address(int index) {
        return address32(number(base) + index);
    }

    /// The number of `address` in this range.
    public int indexOf(Inet4Address address) {
        return number(address) - number(base);
    }

    /// The `index`th of the ranges of `bits` leading bits in this one.
    public Cidr part(int bits, int index) {
        return new Cidr(address32(number(base) + (index << (BITS - bits))), bits);
    }

    /// The same addresses in ranges of which none lies in another.
    public static List<Cidr> disjoint(List<Cidr> ranges) {
        return ranges.stream()
                .distinct()
                .filter(each -> ranges.stream().noneMatch(other -> !other.equals(each) && other.contains(each)))
                .toList();
    }

    private static int mask(int prefix) {
        return prefix == 0 ? 0 : -1 << (BITS - prefix);
    }

    private static int number(Inet4Address address) {
        return ByteBuffer.wrap(address.getAddress()).getInt();
    }

    private static Inet4Address address32(int number) {
        return Inet4Address.ofLiteral(((number >>> 24) & 255) + "." + ((number >>> 16) & 255) + "."
                + ((number >>> 8) & 255) + "." + (number & 255));
    }

    @Override
    public String toString() {
        return base.getHostAddress() + "/" + prefix;
    }
}
