package dev.bobbin.runner.sandbox;

import dev.bobbin.runner.Cidr;
import dev.bobbin.runner.Network;
import java.net.Inet4Address;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A [Network] as files have it.
public final class NetworkRecord {
    private NetworkRecord() {}

    /// What [Json#write] takes; `null` for none.
    static @Nullable Object encode(Network network) {
        return switch (network) {
            case Network.None _ -> null;
            case Network.Host _ -> "host";
            case Network.Bridge bridge -> bridge(bridge);
        };
    }

    /// One line of text.
    public static String write(Network network) {
        return Json.write(Collections.singletonMap("network", encode(network)));
    }

    /// What [#write] wrote.
    ///
    /// @throws IllegalArgumentException if it did not
    public static Network read(String text) {
        try {
            return decode(Json.readObject(text).get("network"));
        } catch (NullPointerException | ClassCastException e) {
            throw new IllegalArgumentException("no network: " + e.getMessage(), e);
        }
    }

    static Network decode(@Nullable Object value) {
        return switch (value) {
            case null -> Network.NONE;
            case String word when word.equals("host") -> new Network.Host();
            case Map<?, ?> in -> bridge(in);
            default -> throw new IllegalArgumentException("network");
        };
    }

    private static Map<String, @Nullable Object> bridge(Network.Bridge bridge) {
        var out = new LinkedHashMap<String, @Nullable Object>();
        out.put("project", bridge.project());
        out.put("aliases", bridge.aliases());
        out.put("ports", bridge.ports().stream().map(NetworkRecord::port).toList());
        out.put("internet", bridge.egress().internet() ? 1L : 0L);
        out.put(
                "allowed",
                bridge.egress().allowed().stream().map(Cidr::toString).toList());
        out.put("names", bridge.egress().names());
        return out;
    }

    private static Network.Bridge bridge(Map<?, ?> in) {
        var egress = new Network.Egress(
                !Objects.equals(in.get("internet"), 0L),
                texts(in, "allowed").stream().map(Cidr::of).toList(),
                texts(in, "names"));
        var ports = list(in, "ports").stream()
                .map(each -> port((Map<?, ?>) Objects.requireNonNull(each)))
                .toList();
        return new Network.Bridge((String) in.get("project"), texts(in, "aliases"), ports, egress);
    }

    private static Map<String, @Nullable Object> port(Network.PublishedPort port) {
        var out = new LinkedHashMap<String, @Nullable Object>();
        out.put("protocol", port.protocol().word());
        out.put("host_address", port.hostAddress().getHostAddress());
        out.put("host_port", (long) port.hostPort());
        out.put("port", (long) port.port());
        return out;
    }

    private static Network.PublishedPort port(Map<?, ?> in) {
        return new Network.PublishedPort(
                Network.Protocol.UDP.word().equals(in.get("protocol")) ? Network.Protocol.UDP : Network.Protocol.TCP,
                Inet4Address.ofLiteral((String) value(in, "host_address")),
                Math.toIntExact((Long) value(in, "host_port")),
                Math.toIntExact((Long) value(in, "port")));
    }

    private static List<?> list(Map<?, ?> in, String name) {
        return (List<?>) value(in, name);
    }

    private static List<String> texts(Map<?, ?> in, String name) {
        return list(in, name).stream().map(String.class::cast).toList();
    }

    private static Object value(Map<?, ?> in, String name) {
        return Objects.requireNonNull(in.get(name), name);
    }
}
