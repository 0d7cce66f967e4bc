package dev.bobbin.runner.host;

import dev.bobbin.runner.Cidr;
import java.io.IOException;
import java.net.Inet4Address;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/// A world outside of this machine, made of a network namespace: an address that is public, and one in each range that
/// is not, chosen by chance so that worlds of other tests do not meet it. Something answers at [#port] of all of them,
/// and on this machine.
final class World implements AutoCloseable {
    private static final List<String> RANGES =
            List.of("169.254.0.0/16", "10.0.0.0/9", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10");

    final Inet4Address here;
    final Inet4Address there;
    /// Those that are not public, link-local first.
    final List<Inet4Address> hidden;

    private final String name;
    private final List<Process> servers = new ArrayList<>();
    final int port;

    World() throws IOException {
        var random = ThreadLocalRandom.current();
        var net = Cidr.of("11.0.0.0/8").part(30, random.nextInt(1 << 22));
        here = net.address(1);
        there = net.address(2);
        hidden = RANGES.stream()
                .map(Cidr::of)
                .map(range -> range.address(random.nextInt((1 << (32 - range.prefix())) - 2) + 1))
                .toList();
        name = "w" + Integer.toHexString(random.nextInt(1 << 28));
        host("ip", "netns", "add", name);
        host("ip", "link", "add", name, "type", "veth", "peer", "name", "out", "netns", name);
        host("ip", "address", "add", here.getHostAddress() + "/30", "dev", name);
        host("ip", "link", "set", name, "up");
        inside("ip", "address", "add", there.getHostAddress() + "/30", "dev", "out");
        inside("ip", "link", "set", "lo", "up");
        inside("ip", "link", "set", "out", "up");
        for (var each : hidden) {
            inside("ip", "address", "add", each.getHostAddress() + "/32", "dev", "out");
            host("ip", "route", "add", each.getHostAddress() + "/32", "via", there.getHostAddress(), "dev", name);
        }
        port = serve(probe(), "talk", "serve", "0");
        serve("ip", "netns", "exec", name, probe(), "talk", "serve", String.valueOf(port));
    }

    /// Starts somebody there who sends for ever to who has sent once, and gives the port.
    int repeating() throws IOException {
        return serve("ip", "netns", "exec", name, probe(), "talk", "repeat");
    }

    static String probe() {
        return Path.of("target/native/probe").toAbsolutePath().toString();
    }

    private int serve(String... command) throws IOException {
        var server = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        servers.add(server);
        return Integer.parseInt(server.inputReader().readLine());
    }

    /// Runs a program in the world, and gives what it prints.
    String inside(String... command) throws IOException {
        var all = new ArrayList<>(List.of("ip", "netns", "exec", name));
        all.addAll(Arrays.asList(command));
        return host(all.toArray(String[]::new));
    }

    /// How many datagrams have come to somebody there.
    long datagrams() throws IOException {
        return inside("grep", "^Udp:", "/proc/net/snmp")
                .lines()
                .skip(1)
                .mapToLong(line -> Long.parseLong(line.split(" ", -1)[1]))
                .sum();
    }

    /// Runs a program on this machine, and gives what it prints.
    static String host(String... command) throws IOException {
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        var text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.onExit().join().exitValue() != 0) {
            throw new AssertionError(String.join(" ", command) + ": " + text);
        }
        return text.strip();
    }

    /// What comes back from `address` if something of this machine asks there.
    static String ask(String protocol, String address, int port) throws IOException {
        return host(probe(), "talk", "to", protocol, address, String.valueOf(port));
    }

    @Override
    public void close() throws IOException {
        servers.forEach(server -> server.destroyForcibly().onExit().join());
        host("ip", "link", "delete", name);
        host("ip", "netns", "delete", name);
    }
}
