package dev.bobbin.ops.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/// What of networks a sandbox has; whatever is said of a bridge means that there is one.
final class NetworkOptions {
    private static final Pattern PUBLISHED =
            Pattern.compile("(?:(?:([0-9.]+|localhost):)?([0-9]{0,5}):)?([0-9]{1,5})(?:/(tcp|udp))?");
    private static final Pattern RANGE = Pattern.compile("[0-9.]+(?:/[0-9]+)?");

    @Option(
            names = {"--network", "--net"},
            paramLabel = "MODE",
            description = "none (default), bridge, or host, this machine's own where the server allows it.")
    private @Nullable String mode;

    @Option(
            names = {"-p", "--publish"},
            paramLabel = "[[ADDRESS:]HOSTPORT:]PORT[/udp]",
            converter = Published.class,
            description = "Lets this machine in by HOSTPORT, or a free one, at 127.0.0.1 unless said; repeatable.")
    private List<Map<String, Object>> ports = List.of();

    @Option(
            names = "--project",
            paramLabel = "NAME",
            description = "Sandboxes of one project reach one another, by their names.")
    private @Nullable String project;

    @Option(
            names = {"--network-alias", "--net-alias"},
            paramLabel = "NAME",
            description = "Another name of it in its project; repeatable.")
    private List<String> aliases = List.of();

    @Option(
            names = "--egress-allow",
            paramLabel = "RANGE|NAME",
            description = {
                "It connects to nothing but these: 203.0.113.0/24, example.org, *.example.org, internet for all that"
                        + " is public, none for nothing; repeatable."
            })
    private List<String> egress = List.of();

    /// Puts them into `request` as the API takes them.
    void putInto(Request request) {
        request.put("network", network()).put("ports", ports.isEmpty() ? null : ports);
    }

    private @Nullable Object network() {
        if (project == null && aliases.isEmpty() && egress.isEmpty()) {
            return mode == null && !ports.isEmpty() ? "bridge" : mode;
        }
        var network = new Request()
                .put("mode", mode == null ? "bridge" : mode)
                .put("project", project)
                .put("aliases", aliases.isEmpty() ? null : aliases);
        return network.putUnlessEmpty("egress", egress()).members();
    }

    private Map<String, Object> egress() {
        if (egress.isEmpty()) {
            return Map.of();
        }
        var ranges = new ArrayList<String>();
        var names = new ArrayList<String>();
        for (var each : egress) {
            if (RANGE.matcher(each).matches()) {
                ranges.add(each);
            } else if (!each.equals("internet") && !each.equals("none")) {
                names.add(each);
            }
        }
        return Map.of("internet", egress.contains("internet"), "allow", ranges, "names", names);
    }

    static final class Published implements ITypeConverter<Map<String, Object>> {
        @Override
        public Map<String, Object> convert(String text) {
            if (text.startsWith("[")) {
                throw new TypeConversionException(
                        "\"" + text + "\" publishes at an IPv6 address; only those of IPv4 are offered");
            }
            var match = PUBLISHED.matcher(text);
            if (!match.matches()) {
                throw new TypeConversionException(
                        "\"" + text + "\" is not PORT, HOSTPORT:PORT or ADDRESS:HOSTPORT:PORT, with /udp or without");
            }
            var port = new LinkedHashMap<String, Object>();
            port.put("port", Integer.valueOf(match.group(3)));
            if (match.group(2) != null && !match.group(2).isEmpty()) {
                port.put("host_port", Integer.valueOf(match.group(2)));
            }
            if (match.group(1) != null && !match.group(1).equals("localhost")) {
                port.put("host_address", match.group(1));
            }
            if (match.group(4) != null) {
                port.put("protocol", match.group(4));
            }
            return port;
        }
    }
}
