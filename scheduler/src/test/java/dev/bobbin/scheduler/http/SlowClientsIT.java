package dev.bobbin.scheduler.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Clients that hold a connection without doing their part, and those that only wait.
@Timeout(120)
final class SlowClientsIT extends ServedTests {
    /// For a connection that is to be ended after [TestServer#STALLED].
    private static final Duration SOON = TestServer.STALLED.plusSeconds(30);

    @Test
    void areLetGoIfTheyNeverAskOrNeverEndAHead() throws Exception {
        together(
                () -> assertLetGo("", ""),
                () -> assertLetGo("GET /health HTT", ""),
                () -> assertLetGo("GET /health HTTP/1.1\r\nHost: localhost\r\n", "X-A: b\r\n"),
                () -> {
                    try (var client = server.client()) {
                        assertIsWell(client);
                        client.send("G");
                        assertThat(endsSoon(client, "")).isTrue();
                    }
                });
    }

    @Test
    void areLetGoIfABodyNeverEnds() throws Exception {
        together(
                () -> assertLetGo(TestServer.head("POST", "/v1/run", "Content-Length: 1000") + "\r\n{", " "),
                () -> assertLetGo(
                        TestServer.head("POST", "/v1/run", "Transfer-Encoding: chunked") + "\r\n", "1\r\n \r\n"),
                () -> assertLetGo(TestServer.head("POST", "/nothing", "Content-Length: 1000") + "\r\n{", " "));
    }

    private void assertLetGo(String begun, String drop) throws Exception {
        try (var client = server.client()) {
            client.send(begun);
            assertThat(endsSoon(client, drop)).as(begun).isTrue();
        }
    }

    private static void assertIsWell(RawClient client) throws IOException {
        assertThat(client.exchange(TestServer.head("GET", "/health") + "\r\n").status())
                .isEqualTo(200);
    }

    /// Something that a client does and may fail in.
    private interface Visit {
        void pay() throws Exception;
    }

    /// Several clients at the same time, as each of them mostly waits.
    private static void together(Visit... visits) throws Exception {
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            var all = Arrays.stream(visits)
                    .map(visit -> tasks.submit(() -> {
                        visit.pay();
                        return true;
                    }))
                    .toList();
            for (var each : all) {
                assertThat(each.get()).isTrue();
            }
        }
    }

    @Test
    void areLetGoIfTheyTakeNothing() throws Exception {
        try (var client = server.client()) {
            client.socket.setReceiveBufferSize(4096);
            client.send(TestServer.request("/v1/run", "{\"command\":[\"yes\"]}", "Accept: text/plain"));
            assertThat(client.line()).contains(" 200 ");
            var id = client.headers().getOrDefault("bobbin-job-id", "");
            assertThat(id).isNotEmpty();
            var deadline = System.nanoTime() + SOON.toNanos();
            while (server.get("/v1/jobs/" + id).text().contains("\"state\":\"running\"")) {
                assertThat(System.nanoTime()).as("the job ends with its client").isLessThan(deadline);
                TimeUnit.MILLISECONDS.sleep(50);
            }
            assertThat(server.get("/v1/jobs/" + id).text()).contains("\"cancelled\"", "\"client\"");
        }
    }

    @Test
    void mayWaitBetweenRequestsAndForAnAnswer() throws Exception {
        var longer = TestServer.STALLED.plusSeconds(2);
        together(
                () -> {
                    try (var client = server.client()) {
                        assertIsWell(client);
                        TimeUnit.MILLISECONDS.sleep(longer.toMillis());
                        assertIsWell(client);
                    }
                },
                () -> {
                    try (var client = server.client()) {
                        var answer = client.exchange(TestServer.request(
                                "/v1/run", "{\"command\":[\"sleep\",\"" + longer.toSeconds() + "\"]}"));
                        assertThat(answer.text()).contains("\"exited\"");
                        assertIsWell(client);
                    }
                });
    }

    @Test
    void mayTakeTheirTimeIfTheyGoOn() throws Exception {
        try (var client = server.client()) {
            client.send(TestServer.request(
                    "/v1/run", "{\"command\":[\"sh\",\"-c\",\"yes | head -c 16000000\"]}", "Accept: text/plain"));
            assertThat(client.line()).contains(" 200 ");
            assertThat(client.headers()).containsEntry("transfer-encoding", "chunked");
            var bytes = 0;
            var chunks = 0;
            for (var chunk = client.chunk(); chunk.length > 0; chunk = client.chunk()) {
                bytes += chunk.length;
                if (chunks++ < 500) {
                    TimeUnit.MILLISECONDS.sleep(TestServer.STALLED.toMillis() / 200);
                }
            }
            assertThat(bytes).isEqualTo(16_000_000);
        }
    }

    @Test
    void mayPauseTheStandardInputOfAJob() throws Exception {
        try (var client = server.client();
                var feeder = server.client()) {
            client.send(
                    TestServer.request("/v1/run", "{\"command\":[\"cat\"],\"stdin\":\"open\"}", "Accept: text/plain"));
            client.line();
            var id = client.headers().getOrDefault("bobbin-job-id", "");
            feeder.send(TestServer.head("POST", "/v1/jobs/" + id + "/stdin?at=0&eof", "Transfer-Encoding: chunked")
                    + "\r\n2\r\na\n\r\n");
            TimeUnit.MILLISECONDS.sleep(TestServer.STALLED.plusSeconds(2).toMillis());
            feeder.send("2\r\nb\n\r\n0\r\n\r\n");
            var printed = new StringBuilder();
            for (var chunk = client.chunk(); chunk.length > 0; chunk = client.chunk()) {
                printed.append(new String(chunk, java.nio.charset.StandardCharsets.UTF_8));
            }
            assertThat(printed.toString()).isEqualTo("a\nb\n");
        }
    }

    /// Sends `drop` again and again, until the server has closed.
    private static boolean endsSoon(RawClient client, String drop) throws Exception {
        var deadline = System.nanoTime() + SOON.toNanos();
        client.socket.setSoTimeout(200);
        while (System.nanoTime() < deadline) {
            try {
                if (client.socket.getInputStream().read() < 0) {
                    return true;
                }
            } catch (java.net.SocketTimeoutException _) {
                // still open
            } catch (java.net.SocketException _) {
                return true;
            }
            try {
                client.send(drop);
            } catch (IOException _) {
                return true;
            }
        }
        return false;
    }
}
