package dev.bobbin.runner.net.dns;

import java.io.IOException;
import java.net.Inet4Address;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/// Two machines with public addresses that nobody has (RFC 5737), in a network namespace beside this machine.
/// Each serves one web page.
public final class FakeInternet implements AutoCloseable {
    private static final List<String> BLOCKS = List.of("192.0.2.", "198.51.100.", "203.0.113.");

    private final String name;
    private final String prefix;
    private final int first;
    private final Process web;

    private FakeInternet(String name, String prefix, int first, Process web) {
        this.name = name;
        this.prefix = prefix;
        this.first = first;
        this.web = web;
    }

    /// Finds a block of addresses that nobody else on this machine plays with.
    public static FakeInternet open(Path directory) throws IOException, InterruptedException {
        var random = ThreadLocalRandom.current();
        for (var left = 20; ; left--) {
            var name = String.format("bni%08x", random.nextInt());
            var prefix = BLOCKS.get(random.nextInt(BLOCKS.size()));
            var first = random.nextInt(32) * 8;
            try {
                return new FakeInternet(name, prefix, first, make(directory, name, prefix, first));
            } catch (IOException taken) {
                remove(name);
                if (left == 0) {
                    throw taken;
                }
            }
        }
    }

    private static Process make(Path directory, String name, String prefix, int first)
            throws IOException, InterruptedException {
        if (!run("ip", "route", "show", prefix + first + "/29").isEmpty()) {
            throw new IOException(prefix + first + "/29 is in use");
        }
        run("ip", "netns", "add", name);
        run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name);
        run("ip", "address", "add", prefix + (first + 1) + "/29", "dev", name);
        run("ip", "link", "set", name, "up");
        run("ip", "-n", name, "link", "set", "lo", "up");
        run("ip", "-n", name, "link", "set", "eth0", "up");
        run("ip", "-n", name, "address", "add", prefix + (first + 2) + "/29", "dev", "eth0");
        run("ip", "-n", name, "address", "add", prefix + (first + 3) + "/29", "dev", "eth0");
        Files.writeString(directory.resolve("index.html"), "the internet\n");
        var web = new ProcessBuilder(
                        "ip", "netns", "exec", name, "busybox", "httpd", "-f", "-p", "80", "-h", directory.toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("httpd.log").toFile())
                .start();
        for (var left = 200; left > 0; left--) {
            if (run("ip", "netns", "exec", name, "cat", "/proc/net/tcp", "/proc/net/tcp6")
                    .contains(":0050 ")) {
                return web;
            }
            TimeUnit.MILLISECONDS.sleep(20);
        }
        web.destroyForcibly();
        throw new IOException("busybox httpd: " + Files.readString(directory.resolve("httpd.log")));
    }

    /// The first machine's address.
    public Inet4Address one() {
        return Inet4Address.ofLiteral(prefix + (first + 2));
    }

    /// The other's.
    public Inet4Address other() {
        return Inet4Address.ofLiteral(prefix + (first + 3));
    }

    private static String run(String... command) throws IOException, InterruptedException {
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", command) + ": " + said);
        }
        return said;
    }

    private static void remove(String name) throws InterruptedException {
        try {
            run("ip", "netns", "delete", name);
        } catch (IOException _) {
            // it was not there yet
        }
        try {
            run("ip", "link", "delete", name);
        } catch (IOException _) {
            // it went with the other end
        }
    }

    @Override
    public void close() {
        web.destroyForcibly().onExit().join();
        try {
            remove(name);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
