package dev.bobbin.runner.net.dns;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A real name server on loopback that knows what it is told, and says of everything else below `example.org`
/// that there is none.
public final class Dnsmasq implements AutoCloseable {
    private final Process process;
    private final InetSocketAddress address;

    private Dnsmasq(Process process, InetSocketAddress address) {
        this.process = process;
        this.address = address;
    }

    /// One at a free port.
    ///
    /// @param hosts lines as of `/etc/hosts`
    /// @param options such as `--cname=a.example.org,b.example.org`
    public static Dnsmasq start(Path directory, List<String> hosts, String... options)
            throws IOException, InterruptedException {
        return start(free(), directory, hosts, options);
    }

    /// As before, at a chosen address.
    public static Dnsmasq start(InetSocketAddress address, Path directory, List<String> hosts, String... options)
            throws IOException, InterruptedException {
        var names = Files.write(directory.resolve("hosts"), hosts);
        var said = directory.resolve("dnsmasq.log").toFile();
        var command = new ArrayList<>(List.of(
                "dnsmasq",
                "--no-daemon",
                "--conf-file=/dev/null",
                "--user=root",
                "--pid-file=",
                "--no-resolv",
                "--no-hosts",
                "--local=/example.org/",
                "--local-ttl=7",
                "--addn-hosts=" + names,
                "--bind-interfaces",
                "--listen-address=" + address.getAddress().getHostAddress(),
                "--port=" + address.getPort()));
        command.addAll(List.of(options));
        var process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(said)
                .start();
        var until = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!Files.readString(said.toPath()).contains("started")) {
            if (!process.isAlive() || System.nanoTime() > until) {
                process.destroyForcibly();
                throw new IOException("dnsmasq: " + Files.readString(said.toPath()));
            }
            TimeUnit.MILLISECONDS.sleep(10);
        }
        return new Dnsmasq(process, address);
    }

    private static InetSocketAddress free() throws IOException {
        try (var socket = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            return new InetSocketAddress(InetAddress.getLoopbackAddress(), socket.getLocalPort());
        }
    }

    public InetSocketAddress address() {
        return address;
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
