package dev.bobbin.runner.net.dns;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Optional;

/// One thing that is known of a name.
///
/// @param ttlSeconds how long it may be kept
/// @param data as the type has it, names in it without compression
record ResourceRecord(DomainName owner, int type, int dnsClass, long ttlSeconds, RecordData data) {

    static ResourceRecord address(DomainName owner, Inet4Address address, long ttlSeconds) {
        return new ResourceRecord(owner, Types.A, Types.IN, ttlSeconds, new RecordData(address.getAddress()));
    }

    static ResourceRecord pointer(DomainName owner, DomainName to, long ttlSeconds) {
        return new ResourceRecord(owner, Types.PTR, Types.IN, ttlSeconds, new RecordData(to.wire()));
    }

    /// The address it gives, if it is one that gives an address.
    Optional<InetAddress> address() {
        var bytes = data.bytes();
        var length = type == Types.A ? 4 : 16;
        if (dnsClass != Types.IN || (type != Types.A && type != Types.AAAA) || bytes.length != length) {
            return Optional.empty();
        }
        try {
            // an IPv4 address that is written as one of IPv6 comes out as what it is
            return Optional.of(InetAddress.getByAddress(bytes));
        } catch (UnknownHostException e) {
            throw new IllegalStateException(length + " bytes are an address", e);
        }
    }

    /// The name it says to go on with, if it is a CNAME.
    Optional<DomainName> alias() {
        return type == Types.CNAME && dnsClass == Types.IN
                ? Optional.of(new DomainName(data.bytes()))
                : Optional.empty();
    }

    ResourceRecord within(long mostSeconds) {
        return ttlSeconds <= mostSeconds ? this : new ResourceRecord(owner, type, dnsClass, mostSeconds, data);
    }
}
