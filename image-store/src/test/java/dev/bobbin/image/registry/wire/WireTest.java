package dev.bobbin.image.registry.wire;

import static dev.bobbin.image.registry.LyingRegistry.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.image.registry.LyingRegistry;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What the client makes of answers, above all of wrong ones.
@Timeout(120)
final class WireTest {
    private static final Duration SHORT = Duration.ofMillis(400);

    private final AddressPolicy.Reach reach =
            AddressPolicy.upTo(AddressKind.LOOPBACK, List.of()).named();
    private LyingRegistry server;
    private Wire wire;

    @BeforeEach
    void start() throws IOException {
        server = LyingRegistry.at("127.0.0.1");
        wire = new Wire(
                new WireConfig(Duration.ofSeconds(2), SHORT, SHORT, Duration.ofSeconds(5), Map.of()), Names.system());
    }

    @AfterEach
    void stop() throws IOException {
        wire.close();
        server.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
                "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nabc",
                "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nabc",
                "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nabc",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabX\r\n0\r\n\r\n",
                "HTTP/1.1 200 OK\r\n Folded: x\r\n\r\n",
                "HTTP/1.1 200 OK\r\nNo colon\r\n\r\n",
                "HTTP/1.1 200 OK\r\nBad name : x\r\n\r\n",
                "HTTP/2 200\r\n\r\n",
                "HTTP/1.1 099 x\r\n\r\n",
                "HTTP/1.1 101 Switching\r\n\r\n",
                "SSH-2.0-OpenSSH\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"
            })
    void refusesAnswer(String bytes) {
        server.on("/", (_, out) -> {
            out.write(text(bytes));
            out.flush();
            throw new IOException("end");
        });

        assertThatThrownBy(() -> get().bytes(1_000, SHORT)).isInstanceOf(IOException.class);
    }

    @Test
    void takesAnswersOfEveryFraming() throws IOException {
        server.on(
                "/chunks",
                raw(
                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n1\r\nd\r\n0\r\nT: x\r\n\r\n"));
        server.on("/length", raw("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200\r\ncontent-length:4\r\n\r\nabcd"));
        server.on("/close", (_, out) -> {
            out.write(text("HTTP/1.0 200 OK\r\n\r\nabcd"));
            out.flush();
            throw new IOException("end");
        });

        for (var path : List.of("/chunks", "/length", "/close", "/chunks", "/length")) {
            try (var response = get(path)) {
                assertThat(response.bytes(100, SHORT)).as(path).isEqualTo(text("abcd"));
            }
        }
        assertThat(server.connections()).isEqualTo(2);
    }

    @Test
    void readsNoMoreThanTheLimit() throws IOException {
        server.on("/", (_, out) -> {
            out.write(text("HTTP/1.1 200 OK\r\n\r\n"));
            while (true) {
                out.write(new byte[8192]);
            }
        });

        try (var response = get()) {
            assertThat(response.bytes(100_000, Duration.ofSeconds(5))).isNull();
        }
    }

    @Test
    void bodyThatTricklesEndsInTime() throws IOException {
        server.on("/", (_, out) -> {
            out.write(text("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"));
            for (var i = 0; i < 200; i++) {
                out.write('x');
                out.flush();
                java.util.concurrent.locks.LockSupport.parkNanos(
                        Duration.ofMillis(30).toNanos());
            }
        });
        var before = System.nanoTime();

        try (var response = get()) {
            assertThatThrownBy(() -> response.bytes(1_000, SHORT)).isInstanceOf(IOException.class);
        }

        assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(3));
    }

    @Test
    void handshakeThatTricklesEndsInTime() throws Exception {
        var slow = new java.net.ServerSocket(0, 5, java.net.InetAddress.getLoopbackAddress());
        try (slow) {
            Thread.ofPlatform().daemon().start(() -> {
                try (var socket = slow.accept()) {
                    while (true) {
                        socket.getOutputStream().write(22);
                        java.util.concurrent.locks.LockSupport.parkNanos(
                                Duration.ofMillis(50).toNanos());
                    }
                } catch (IOException _) {
                    // the client gave up
                }
            });
            var before = System.nanoTime();

            assertThatThrownBy(() -> wire.send(
                            Request.of("GET", URI.create("https://127.0.0.1:" + slow.getLocalPort() + "/")), reach))
                    .isInstanceOf(IOException.class);

            assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(5));
        }
    }

    @Test
    void closingEndsWhatIsUnderWay() throws IOException {
        server.on("/", (_, out) -> {
            out.write(text("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc"));
            out.flush();
            java.util.concurrent.locks.LockSupport.parkNanos(
                    Duration.ofSeconds(5).toNanos());
        });
        var response = get();

        wire.close();

        assertThatThrownBy(() -> response.body().readNBytes(1_000)).isInstanceOf(IOException.class);
        assertThatThrownBy(this::get).isInstanceOf(IOException.class);
    }

    /// Answers that a seed has damaged are understood, or are an IOException within the time; nothing else.
    @Test
    void survivesDamagedAnswers() {
        var seed = System.nanoTime();
        System.out.println("seed " + seed);
        var random = new Random(seed);
        var honest = text(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n");
        server.on("/", (_, out) -> {
            var damaged = honest.clone();
            for (var i = random.nextInt(4); i >= 0; i--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
            }
            out.write(damaged, 0, 1 + random.nextInt(damaged.length));
            out.flush();
            throw new IOException("end");
        });
        for (var i = 0; i < 2_000; i++) {
            try (var response = get()) {
                response.bytes(1_000, SHORT);
            } catch (IOException _) {
                // as it should be
            }
        }
    }

    private static LyingRegistry.Answer raw(String bytes) {
        return (_, out) -> out.write(text(bytes));
    }

    private Response get() throws IOException {
        return get("/");
    }

    private Response get(String path) throws IOException {
        return wire.send(Request.of("GET", URI.create("http://127.0.0.1:" + server.port() + path)), reach);
    }
}
