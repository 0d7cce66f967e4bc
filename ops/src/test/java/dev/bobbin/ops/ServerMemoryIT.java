package dev.bobbin.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.host.Leftovers;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a server holds in memory while jobs print without end and readers do not read.
@Timeout(180)
final class ServerMemoryIT extends RootTests {
    private static final long MIB = 1L << 20;
    private static final int SLOW_READERS = 200;

    /// A server that kept what goes through it would hold a gibibyte and more. Allowed is half as much again
    /// as it held after it had done each of these things once in small, which is what sizes its heap, and 512 KiB
    /// for each reader that stands still: the piece of the journal that it is being sent.
    private static long allowed(long before) {
        return before + before / 2 + SLOW_READERS * (MIB / 2);
    }

    @Test
    void staysFlatWhileJobsPrintWithoutEnd() throws Exception {
        var leftovers = Leftovers.of(directory.resolve("run"));
        try (var server = RealServer.start(directory, RealServer.command(directory, "--pool", "4"))) {
            torment(server, 64, 2);
            var rss = server.memory("VmRSS");
            var anonymous = server.memory("RssAnon");
            var peakRss = new AtomicLong();
            var peakAnonymous = new AtomicLong();
            var watch = Thread.ofPlatform().start(() -> {
                while (!Thread.interrupted()) {
                    try {
                        peakRss.accumulateAndGet(server.memory("VmRSS"), Math::max);
                        peakAnonymous.accumulateAndGet(server.memory("RssAnon"), Math::max);
                        TimeUnit.MILLISECONDS.sleep(20);
                    } catch (IOException | InterruptedException _) {
                        return;
                    }
                }
            });
            torment(server, 1024, SLOW_READERS);
            watch.interrupt();
            watch.join();
            System.out.printf(
                    "ServerMemoryIT: MiB before and at most: VmRSS %d, %d; RssAnon %d, %d%n",
                    rss / MIB, peakRss.get() / MIB, anonymous / MIB, peakAnonymous.get() / MIB);
            assertThat(peakRss.get()).as("VmRSS").isPositive().isLessThan(allowed(rss));
            assertThat(peakAnonymous.get()).as("RssAnon").isPositive().isLessThan(allowed(anonymous));
        }
        leftovers.assertNothingMore();
    }

    /// All at once: `mebibytes` on one line to a client that reads them, a quarter as many random bytes to
    /// another, `yes` that nobody reads but `slow` clients which stand still, and a pipe within a job that nobody
    /// reads.
    private static void torment(RealServer server, int mebibytes, int slow) throws Exception {
        var line = "head -c " + mebibytes + "M /dev/zero | tr '\\\\0' x";
        var noise = "head -c " + mebibytes / 4 + "M /dev/urandom";
        var endless = server.stream(sh("yes", "drop", "continue"));
        var path = endless.headers().firstValue("Location").orElseThrow();
        var readers = new ArrayList<Socket>();
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor();
                var _ = endless.body();
                var _ = server.stream(sh("yes | sleep 1000", "block", "kill")).body()) {
            for (var reader = 0; reader < slow; reader++) {
                readers.add(attach(server, path + "/output?follow"));
            }
            var first = tasks.submit(
                    () -> count(server.stream(sh(line, "block", "kill")).body()));
            var second = tasks.submit(
                    () -> count(server.stream(sh(noise, "block", "kill")).body()));
            assertThat(first.get()).isEqualTo(mebibytes * MIB);
            assertThat(second.get()).isEqualTo(mebibytes / 4 * MIB);
            server.cancel(path);
            assertThat(server.get(path)).contains("cancelled", "\"dropped_bytes\":");
        } finally {
            for (var reader : readers) {
                reader.close();
            }
        }
    }

    private static String sh(String script, String policy, String onDisconnect) {
        return "{\"command\":[\"sh\",\"-c\",\"" + script + "\"],\"output_policy\":\"" + policy
                + "\",\"on_disconnect\":\"" + onDisconnect
                + "\",\"limits\":{\"output\":\"8MiB\",\"memory\":\"64MiB\",\"time\":120}}";
    }

    private static Socket attach(RealServer server, String path) throws IOException {
        var socket = new Socket(InetAddress.getLoopbackAddress(), server.port);
        var head = "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/plain\r\n\r\n";
        socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    private static long count(InputStream stream) throws IOException {
        try (stream) {
            var bytes = new byte[1 << 16];
            var total = 0L;
            for (var got = stream.read(bytes); got >= 0; got = stream.read(bytes)) {
                total += got;
            }
            return total;
        }
    }
}
