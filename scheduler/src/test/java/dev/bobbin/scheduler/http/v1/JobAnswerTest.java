package dev.bobbin.scheduler.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Job.OnDisconnect;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Output.Stream;
import dev.bobbin.scheduler.http.RawClient;
import dev.bobbin.scheduler.http.exchange.Disconnects;
import io.helidon.webserver.WebServer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Answers on the wire, byte by byte, of jobs whose output is written by hand.
final class JobAnswerTest {
    private static final String TEXT = request("text/plain");
    private static final String JSON = request("application/json");

    private final Disconnects disconnects = new Disconnects();
    private final BlockingQueue<ScriptedJob> jobs = new LinkedBlockingQueue<>();
    private WebServer server = WebServer.builder().build();

    private static String request(String accept) {
        return "POST /job HTTP/1.1\r\nHost: localhost\r\nAccept: " + accept + "\r\nContent-Length: 2\r\n\r\n{}";
    }

    @BeforeEach
    void listen() {
        var answers = new JobAnswer(disconnects);
        server = WebServer.builder()
                .host("127.0.0.1")
                .port(0)
                .connectionOptions(options -> options.tcpNoDelay(true))
                .shutdownHook(false)
                .routing(routing -> routing.post("/job", (request, response) -> {
                    request.content().as(String.class);
                    answers.started(jobs.take(), Rendition.of(request, Rendition.JSON), response);
                }))
                .build()
                .start();
    }

    @AfterEach
    void stop() {
        disconnects.close();
        server.stop();
    }

    private ScriptedJob job(OnDisconnect onDisconnect) {
        var job = new ScriptedJob(onDisconnect);
        jobs.add(job);
        return job;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void sendsTheHeadAtOnceAndEachOutputAsItComes() throws Exception {
        var job = job(OnDisconnect.KILL);
        try (var client = new RawClient(server.port())) {
            client.send(TEXT);
            assertThat(client.line()).isEqualTo("HTTP/1.1 200 OK");
            var head = client.headers();
            assertThat(head)
                    .containsEntry("transfer-encoding", "chunked")
                    .containsEntry("bobbin-job-id", job.id().toString())
                    .containsEntry("location", "/v1/jobs/" + job.id())
                    .containsEntry("trailer", "Bobbin-Outcome, Bobbin-Exit-Code, Bobbin-Timeline, Bobbin-Gaps");
            for (var line : new String[] {"one\n", "two\n", "three\n"}) {
                var before = System.nanoTime();
                job.print(Stream.STDOUT, bytes(line));
                assertThat(new String(client.chunk(), StandardCharsets.UTF_8)).isEqualTo(line);
                assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(10));
            }
            job.end(new Outcome.Exited(3));
            assertThat(client.chunk()).isEmpty();
            assertThat(client.headers())
                    .containsEntry("bobbin-outcome", "exited")
                    .containsEntry("bobbin-exit-code", "3")
                    .hasEntrySatisfying(
                            "bobbin-timeline", value -> assertThat(value).startsWith("path=cold admit="));
        }
    }

    @Test
    void chunksAndTrailersSurviveAnEmptyOutputOnAKeptConnection() throws Exception {
        try (var client = new RawClient(server.port())) {
            for (var round = 0; round < 50; round++) {
                job(OnDisconnect.KILL).end(new Outcome.Exited(0));
                var answer = client.exchange(round % 2 == 0 ? TEXT : JSON);
                assertThat(answer.status()).isEqualTo(200);
                if (round % 2 == 0) {
                    assertThat(answer.body()).isEmpty();
                    assertThat(answer.trailers()).containsEntry("bobbin-exit-code", "0");
                }
            }
        }
    }

    @Test
    void endsASilentJobWhenItsClientLeaves() throws Exception {
        for (var accept : new String[] {TEXT, JSON}) {
            var job = job(OnDisconnect.KILL);
            try (var client = new RawClient(server.port())) {
                client.send(accept);
                TimeUnit.MILLISECONDS.sleep(400);
            }
            var left = System.nanoTime();
            assertThat(job.await().outcome()).isEqualTo(new Outcome.Cancelled("client"));
            assertThat(Duration.ofNanos(System.nanoTime() - left)).isLessThan(Duration.ofSeconds(10));
        }
    }

    @Test
    void endsAJobWhoseClientLeftBeforeTheWatchBegan() throws Exception {
        var job = job(OnDisconnect.KILL);
        try (var client = new RawClient(server.port())) {
            client.send(TEXT);
            client.line();
        }
        var left = System.nanoTime();
        assertThat(job.await().outcome()).isEqualTo(new Outcome.Cancelled("client"));
        assertThat(Duration.ofNanos(System.nanoTime() - left)).isLessThan(Duration.ofSeconds(10));
    }

    @Test
    void leavesAJobAloneThatShouldContinue() throws Exception {
        var job = job(OnDisconnect.CONTINUE);
        try (var client = new RawClient(server.port())) {
            client.send(TEXT);
            TimeUnit.MILLISECONDS.sleep(400);
        }
        TimeUnit.MILLISECONDS.sleep(500);
        assertThat(job.ending()).isEmpty();
        job.end(new Outcome.Exited(0));
    }

    @Test
    void keepsAConnectionAfterALongJob() throws Exception {
        try (var client = new RawClient(server.port())) {
            for (var round = 0; round < 3; round++) {
                for (var request : new String[] {TEXT, JSON}) {
                    var job = job(OnDisconnect.KILL);
                    client.send(request);
                    TimeUnit.MILLISECONDS.sleep(300);
                    job.print(Stream.STDOUT, bytes("round " + round)).end(new Outcome.Exited(0));
                    assertThat(client.answer().text()).contains("round " + round);
                }
            }
        }
    }

    @Test
    void closesAfterALongJobWhenTheClientAskedForIt() throws Exception {
        var job = job(OnDisconnect.KILL);
        try (var client = new RawClient(server.port())) {
            client.send(TEXT.replace("Accept:", "Connection: close\r\nAccept:"));
            TimeUnit.MILLISECONDS.sleep(300);
            job.print(Stream.STDOUT, bytes("bye")).end(new Outcome.Exited(0));
            assertThat(client.answer().trailers()).containsEntry("bobbin-outcome", "exited");
            assertThat(client.isClosedByServer()).isTrue();
        }
    }

    @Test
    void servesARequestThatWasSentAheadOfTheAnswer() throws Exception {
        var first = job(OnDisconnect.KILL);
        var second = job(OnDisconnect.KILL);
        try (var client = new RawClient(server.port())) {
            client.send(TEXT);
            TimeUnit.MILLISECONDS.sleep(300);
            client.send(JSON);
            TimeUnit.MILLISECONDS.sleep(100);
            assertThat(first.ending()).isEmpty();
            first.print(Stream.STDOUT, bytes("first")).end(new Outcome.Exited(0));
            assertThat(client.answer().text()).isEqualTo("first");
            second.print(Stream.STDOUT, bytes("second")).end(new Outcome.Exited(0));
            assertThat(client.answer().text()).contains("second");
        }
    }

    @Test
    void givesASlowReaderEveryByte() throws Exception {
        var random = new Random(42);
        var job = job(OnDisconnect.KILL);
        var sent = new byte[8 * 1024 * 1024];
        random.nextBytes(sent);
        for (var at = 0; at < sent.length; ) {
            var length = Math.min(1 + random.nextInt(128 * 1024), sent.length - at);
            job.print(Stream.STDOUT, Arrays.copyOfRange(sent, at, at + length));
            at += length;
        }
        job.end(new Outcome.Exited(0));
        try (var client = new RawClient(server.port())) {
            client.socket.setReceiveBufferSize(64 * 1024);
            client.send(TEXT);
            TimeUnit.MILLISECONDS.sleep(500);
            var answer = client.answer();
            assertThat(answer.body()).isEqualTo(sent);
            assertThat(answer.trailers()).containsEntry("bobbin-outcome", "exited");
        }
    }

    @Test
    void answersJsonWithTextOrBase64() throws Exception {
        try (var client = new RawClient(server.port())) {
            job(OnDisconnect.KILL)
                    .print(Stream.STDOUT, bytes("grüß"))
                    .print(Stream.STDERR, new byte[] {(byte) 0xff})
                    .end(new Outcome.Killed(9, "self"));
            var answer = client.exchange(JSON);
            assertThat(answer.text())
                    .contains("\"stdout\":\"grüß\"")
                    .contains("\"stderr_base64\":\"/w==\"")
                    .contains(
                            "\"outcome\":{\"cause\":\"killed\",\"exit_code\":137,\"signal\":\"SIGKILL\",\"by\":\"self\"}")
                    .contains("\"truncated\":false");
        }
    }

    @Test
    void cutsLongOutputInJsonAndSaysSo() throws Exception {
        try (var client = new RawClient(server.port())) {
            job(OnDisconnect.KILL)
                    .print(Stream.STDOUT, bytes("x" + "ü".repeat(1024 * 1024)))
                    .end(new Outcome.Exited(0));
            var answer = client.exchange(JSON).text();
            assertThat(answer)
                    .contains("\"truncated\":true")
                    .contains("\"stdout\":\"xü")
                    .hasSizeLessThan(1024 * 1024);
        }
    }
}
