package dev.bobbin.ops.config;

import dev.bobbin.runner.Cidr;
import dev.bobbin.runner.net.NetworkConfig;
import dev.bobbin.scheduler.dispatch.PublishConfig;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Pattern;

/// Reads the settings of networks: what there may be on this machine, and who may be let in from outside.
final class NetworkSettings {
    private static final Pattern SERVER = Pattern.compile("([^\\[\\]:]+|\\[[0-9a-fA-F:.%a-z]+\\])(?::([0-9]{1,5}))?");
    private static final int DNS_PORT = 53;
    private static final int MOST_PORT = 65535;

    private final Settings settings;

    NetworkSettings(Settings settings) {
        this.settings = settings;
    }

    NetworkConfig network() {
        var absent = NetworkConfig.STANDARD;
        return new NetworkConfig(
                settings.onOff("host.network.host", absent.host()),
                settings.one("host.network.range", absent.range(), NetworkSettings::range),
                each("host.network.allowed", NetworkSettings::range),
                each("host.network.dns", NetworkSettings::server));
    }

    PublishConfig publish() {
        return new PublishConfig(
                each("publish.addresses", NetworkSettings::address), settings.onOff("publish.low-ports", false));
    }

    private <T> List<T> each(String key, Function<String, T> reader) {
        return settings.texts(key, List.of()).stream()
                .map(text -> {
                    try {
                        return reader.apply(text);
                    } catch (IllegalArgumentException wrong) {
                        throw new ConfigException(key + ": " + wrong.getMessage() + ".");
                    }
                })
                .toList();
    }

    private static Cidr range(String text) {
        return Cidr.parse(text)
                .orElseThrow(() -> new IllegalArgumentException(
                        "\"" + text + "\" is no IPv4 range such as 10.1.0.0/16, which begins with its first address"));
    }

    private static Inet4Address address(String text) {
        return Cidr.parse(text)
                .filter(range -> range.prefix() == Integer.SIZE)
                .map(Cidr::base)
                .orElseThrow(() -> new IllegalArgumentException("\"" + text + "\" is no IPv4 address"));
    }

    private static InetSocketAddress server(String text) {
        var match = SERVER.matcher(text);
        try {
            if (match.matches()) {
                var port = match.group(2) == null ? DNS_PORT : Integer.parseInt(match.group(2));
                if (port >= 1 && port <= MOST_PORT) {
                    return new InetSocketAddress(InetAddress.ofLiteral(bare(match.group(1))), port);
                }
            }
        } catch (IllegalArgumentException _) {
            // no address
        }
        throw new IllegalArgumentException("\"" + text + "\" is no ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT");
    }

    private static String bare(String host) {
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }
}
