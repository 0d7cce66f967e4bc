package dev.bobbin.image.registry.wire;

import java.net.InetAddress;
import java.util.List;
import java.util.function.Function;

/// Which addresses may be connected to, by who named them.
///
/// @param kinds the kind of an address
/// @param innermost the innermost kind at which a caller may name a server
/// @param allowed networks that are open whatever their kind and whoever named them
public record AddressPolicy(Function<InetAddress, AddressKind> kinds, AddressKind innermost, List<Network> allowed) {

    public AddressPolicy {
        allowed = List.copyOf(allowed);
        if (innermost.compareTo(AddressKind.LOOPBACK) > 0) {
            throw new IllegalArgumentException("link-local servers are allowed one network at a time");
        }
    }

    /// Callers may name servers up to `innermost`.
    public static AddressPolicy upTo(AddressKind innermost, List<Network> allowed) {
        return new AddressPolicy(AddressKind::of, innermost, allowed);
    }

    /// What a request to a server may reach that the caller named.
    public Reach named() {
        return new Reach(this, innermost, false);
    }

    /// What may be reached from here.
    ///
    /// @param policy the rules
    /// @param innermost the innermost kind of address that is open
    /// @param machine whether only this machine itself is open
    public record Reach(AddressPolicy policy, AddressKind innermost, boolean machine) {
        /// Whether a connection to `address` may be made.
        public boolean permits(InetAddress address) {
            var kind = policy.kinds.apply(address);
            if (machine) {
                return kind == AddressKind.LOOPBACK && innermost == AddressKind.LOOPBACK;
            }
            return kind.compareTo(innermost) <= 0
                    || policy.allowed.stream().anyMatch(network -> network.contains(address));
        }

        /// What a server at `address` may refer to: nothing that lies further inside than it does.
        public Reach from(InetAddress address) {
            var kind = policy.kinds.apply(address);
            var outer = kind.compareTo(AddressKind.LOOPBACK) > 0 ? AddressKind.PUBLIC : kind;
            return new Reach(policy, outer.compareTo(innermost) < 0 ? outer : innermost, false);
        }

        /// Only this machine.
        public Reach machineOnly() {
            return new Reach(policy, innermost, true);
        }
    }
}
