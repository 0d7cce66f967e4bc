package dev.bobbin.scheduler.http.v1;

import dev.bobbin.runner.Cidr;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.Network.Egress;
import dev.bobbin.runner.Network.Protocol;
import dev.bobbin.runner.Network.PublishedPort;
import dev.bobbin.scheduler.http.exchange.JsonInput;
import dev.bobbin.scheduler.http.exchange.Rejected;
import java.io.IOException;
import java.net.Inet4Address;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Reads `network`, which is a word or `{mode, project, aliases, egress: {internet, allow, names}}`, and `ports`:
/// `[{port, host_port, host_address, protocol}]`. Together they are one [Network].
final class NetworkInput {
    private static final Set<String> FIELDS = Set.of("mode", "project", "aliases", "egress");
    private static final Set<String> EGRESS = Set.of("internet", "allow", "names");
    private static final Set<String> PORT = Set.of("port", "host_port", "host_address", "protocol");
    private static final int MOST_PORT = 65535;

    private String mode = "none";
    private @Nullable String project;
    private List<String> aliases = List.of();
    private Egress egress = Egress.INTERNET;
    private final List<PublishedPort> ports = new ArrayList<>();

    /// Reads `network`.
    void readNetwork(JsonInput value) throws IOException {
        if (value.isString()) {
            mode = mode(value);
            return;
        }
        mode = "bridge";
        value.object(FIELDS, this::field);
        if (!mode.equals("bridge") && (project != null || !aliases.isEmpty() || !egress.equals(Egress.INTERNET))) {
            throw value.wrong("project, aliases and egress are of the mode \"bridge\"");
        }
    }

    private void field(String name, JsonInput value) throws IOException {
        switch (name) {
            case "mode" -> mode = mode(value);
            case "project" -> project = value.string();
            case "aliases" -> aliases = value.list(Network.Bridge.MOST_ALIASES);
            default -> egress = egress(value);
        }
    }

    private static String mode(JsonInput value) throws IOException {
        var mode = value.isString() ? value.string() : "";
        return switch (mode) {
            case "none", "bridge", "host" -> mode;
            default -> throw value.wrong("must be \"none\", \"bridge\" or \"host\"");
        };
    }

    private static Egress egress(JsonInput value) throws IOException {
        var internet = new boolean[] {true};
        var allowed = new ArrayList<Cidr>();
        var names = new ArrayList<String>();
        value.object(EGRESS, (name, each) -> {
            switch (name) {
                case "internet" -> internet[0] = each.bool();
                case "allow" -> each.elements(Egress.MOST_ALLOWED, range -> allowed.add(range(range)));
                default -> names.addAll(each.list(Egress.MOST_NAMES));
            }
        });
        return valid(() -> new Egress(internet[0], allowed, names));
    }

    private static Cidr range(JsonInput value) throws IOException {
        return Cidr.parse(value.string())
                .orElseThrow(
                        () -> value.wrong(
                                "must be an IPv4 address or range such as 203.0.113.0/24, which begins with its first address"));
    }

    /// Reads `ports`.
    void readPorts(JsonInput value) throws IOException {
        value.elements(Network.Bridge.MOST_PORTS, each -> ports.add(port(each)));
    }

    private static PublishedPort port(JsonInput at) throws IOException {
        var numbers = new int[] {0, 0};
        var address = new Inet4Address[] {PublishedPort.LOOPBACK};
        var protocol = new Protocol[] {Protocol.TCP};
        at.object(PORT, (name, each) -> {
            switch (name) {
                case "port" -> numbers[0] = number(each, 1);
                case "host_port" -> numbers[1] = number(each, 0);
                case "host_address" -> address[0] = address(each);
                default -> protocol[0] = protocol(each);
            }
        });
        if (numbers[0] == 0) {
            throw at.wrong("say its port, the one inside");
        }
        return new PublishedPort(protocol[0], address[0], numbers[1], numbers[0]);
    }

    private static int number(JsonInput value, int least) throws IOException {
        try {
            var number = Integer.parseInt(value.number());
            if (number >= least && number <= MOST_PORT) {
                return number;
            }
        } catch (NumberFormatException _) {
            // as good as out of its bounds
        }
        throw value.wrong("must be a whole number between " + least + " and " + MOST_PORT);
    }

    private static Inet4Address address(JsonInput value) throws IOException {
        return Cidr.parse(value.string())
                .filter(range -> range.prefix() == Integer.SIZE)
                .map(Cidr::base)
                .orElseThrow(() -> value.wrong("must be an IPv4 address of this machine, or 0.0.0.0 for all of them"));
    }

    private static Protocol protocol(JsonInput value) throws IOException {
        return switch (value.string()) {
            case "tcp" -> Protocol.TCP;
            case "udp" -> Protocol.UDP;
            default -> throw value.wrong("must be \"tcp\" or \"udp\"");
        };
    }

    /// What was asked for.
    Network network() {
        if (!mode.equals("bridge") && !ports.isEmpty()) {
            throw Rejected.invalid("ports", "ports: are of a sandbox with a bridge; say \"network\": \"bridge\"");
        }
        return switch (mode) {
            case "bridge" -> valid(() -> new Network.Bridge(project, aliases, ports, egress));
            case "host" -> new Network.Host();
            default -> Network.NONE;
        };
    }

    /// The values call ports a part of the network; here they stand beside it.
    private static <T> T valid(Supplier<T> value) {
        return JobInput.valid("", () -> {
            try {
                return value.get();
            } catch (IllegalArgumentException wrong) {
                throw new IllegalArgumentException(
                        String.valueOf(wrong.getMessage()).replaceFirst("^network\\.ports", "ports"), wrong);
            }
        });
    }
}
