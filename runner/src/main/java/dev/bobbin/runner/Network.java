package dev.bobbin.runner;

import java.net.Inet4Address;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What of networks a sandbox has. It is complete before the first instruction, and nothing inside can change it.
public sealed interface Network {
    /// An interface to itself, and no other.
    Network NONE = new None();

    /// Only an interface to itself.
    record None() implements Network {}

    /// This machine's own network, all of it; only where the configuration allows it.
    record Host() implements Network {}

    /// A network of this host's sandboxes, with a way out.
    ///
    /// @param project sandboxes of one tenant with the same word here reach one another, by name and by alias;
    ///        `null`: it reaches none and none reaches it
    /// @param aliases further names of this sandbox in its project; several sandboxes may share one
    /// @param ports what of it can be reached from this machine, or from outside
    /// @param egress where it may connect to
    record Bridge(@Nullable String project, List<String> aliases, List<PublishedPort> ports, Egress egress)
            implements Network {
        public static final int MOST_ALIASES = 16;
        public static final int MOST_PORTS = 64;
        /// Without a project, with nothing published, and with the way out that is the default.
        public static final Bridge PLAIN = new Bridge(null, List.of(), List.of(), Egress.INTERNET);

        private static final Pattern LABEL = Pattern.compile("[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?");

        public Bridge {
            if (project != null) {
                checkName("network.project", project);
            }
            JobFields.require(
                    aliases.size() <= MOST_ALIASES, "network.aliases: there are at most " + MOST_ALIASES + " of them");
            JobFields.require(
                    aliases.isEmpty() || project != null, "network.aliases: are names in a project, and there is none");
            for (var index = 0; index < aliases.size(); index++) {
                checkName("network.aliases[" + index + "]", aliases.get(index));
            }
            JobFields.require(
                    ports.size() <= MOST_PORTS, "network.ports: there are at most " + MOST_PORTS + " of them");
            checkDistinct(ports);
            aliases = aliases.stream()
                    .map(alias -> alias.toLowerCase(Locale.ROOT))
                    .distinct()
                    .toList();
            ports = List.copyOf(ports);
        }

        private static void checkName(String field, String name) {
            JobFields.require(
                    LABEL.matcher(name).matches(),
                    field
                            + ": has at most 63 letters, digits, '-' and '_', and begins and ends with a letter or digit");
        }

        private static void checkDistinct(List<PublishedPort> ports) {
            var seen = new HashSet<List<Object>>();
            for (var index = 0; index < ports.size(); index++) {
                var port = ports.get(index);
                JobFields.require(
                        port.hostPort() == 0 || seen.add(List.of(port.protocol(), port.hostAddress(), port.hostPort())),
                        "network.ports[" + index + "].host_port: another port is published there");
            }
        }
    }

    /// What a port belongs to.
    enum Protocol {
        TCP,
        UDP;

        /// As people write it.
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// One port of a sandbox that can be reached through one of this machine.
    ///
    /// @param hostAddress this machine's address; [#LOOPBACK] unless said otherwise, [#EVERY] for all of them
    /// @param hostPort 0 for any free one, which the running sandbox then tells
    /// @param port inside
    record PublishedPort(Protocol protocol, Inet4Address hostAddress, int hostPort, int port) {
        public static final Inet4Address LOOPBACK = Inet4Address.ofLiteral("127.0.0.1");
        public static final Inet4Address EVERY = Inet4Address.ofLiteral("0.0.0.0");

        private static final int MOST = 65535;

        public PublishedPort {
            JobFields.require(port >= 1 && port <= MOST, "network.ports.port: must be between 1 and 65535");
            JobFields.require(
                    hostPort >= 0 && hostPort <= MOST, "network.ports.host_port: must be between 0 and 65535");
        }

        /// The same, at a port that was found free.
        public PublishedPort at(int free) {
            return new PublishedPort(protocol, hostAddress, free, port);
        }
    }

    /// A sandbox's place on the bridge.
    ///
    /// @param bridge as it was asked for, but with every port of this machine chosen
    record Attachment(Inet4Address address, Inet4Address gateway, Bridge bridge) {}

    /// Where a sandbox may connect to. Never, whatever is said here: this machine itself (but for its name server),
    /// the addresses of clouds' metadata, loopback, multicast, sandboxes outside its project.
    ///
    /// @param internet every public address; without it, or with `names`, only what is allowed by name or range
    /// @param allowed ranges besides; private ones only as far as the configuration opens them
    /// @param names DNS names besides, `example.org` or `*.example.org` for all below; what they resolve to is
    ///        allowed for as long as the answer says
    record Egress(boolean internet, List<Cidr> allowed, List<String> names) {
        public static final int MOST_ALLOWED = 256;
        public static final int MOST_NAMES = 256;
        /// All public addresses.
        public static final Egress INTERNET = new Egress(true, List.of(), List.of());

        private static final int LONGEST_NAME = 253;
        private static final Pattern NAME = Pattern.compile("(?:\\*\\.)?[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
                + "(?:\\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*");

        public Egress {
            JobFields.require(
                    allowed.size() <= MOST_ALLOWED,
                    "network.egress.allow: there are at most " + MOST_ALLOWED + " ranges");
            JobFields.require(
                    names.size() <= MOST_NAMES, "network.egress.names: there are at most " + MOST_NAMES + " names");
            allowed = allowed.stream().distinct().toList();
            names = names.stream()
                    .map(name -> name.toLowerCase(Locale.ROOT))
                    .distinct()
                    .toList();
            for (var index = 0; index < names.size(); index++) {
                JobFields.require(
                        names.get(index).length() <= LONGEST_NAME
                                && NAME.matcher(names.get(index)).matches()
                                && Cidr.parse(names.get(index)).isEmpty(),
                        "network.egress.names[" + index + "]: must be a DNS name, with \"*.\" before it at most");
            }
        }

        /// Whether every public address is allowed.
        public boolean open() {
            return internet && names.isEmpty();
        }

        /// Whether what `name` resolves to is allowed; without a dot at its end.
        public boolean allows(String name) {
            var lower = name.toLowerCase(Locale.ROOT);
            return names.stream()
                    .anyMatch(each -> each.startsWith("*.")
                            ? lower.endsWith(each.substring(1)) && lower.length() > each.length() - 1
                            : lower.equals(each));
        }
    }
}
