package dev.bobbin.scheduler.http.v1;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import dev.bobbin.image.ImageReference;
import dev.bobbin.image.TestImages;
import dev.bobbin.image.store.PrunePolicy;
import dev.bobbin.runner.build.BuildConfig;
import dev.bobbin.scheduler.http.RawClient;
import dev.bobbin.scheduler.http.TestServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/// `POST /v1/builds` over a real server.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
final class BuildsIT {
    private final HttpClient client = HttpClient.newHttpClient();
    private TestServer server;

    @BeforeAll
    void open() throws Exception {
        server = TestServer.open();
        server.host
                .images()
                .commit(
                        "",
                        new ImageReference("bb"),
                        null,
                        TestImages.config("sh"),
                        List.of(TestImages.stream(TestImages.busybox())));
    }

    @AfterAll
    void close() throws Exception {
        client.close();
        server.host.runtime().builds().prune(Duration.ZERO);
        server.host.images().prune(new PrunePolicy(Duration.ZERO, null));
        server.close();
    }

    private HttpResponse<String> post(String query, byte[] body, String... headers) throws Exception {
        var request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + server.http.port() + "/v1/builds" + query))
                .POST(BodyPublishers.ofByteArray(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), BodyHandlers.ofString());
    }

    private static byte[] context(String recipe) {
        return TestImages.tar()
                .file("Dockerfile", recipe)
                .file("data", "copied\n")
                .bytes();
    }

    private static byte[] packed(byte[] tar) throws Exception {
        var out = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            gzip.write(tar);
        }
        return out.toByteArray();
    }

    @Test
    void buildsAnImageThatRuns() throws Exception {
        var recipe =
                "FROM bb\nARG WHO\nRUN echo $WHO >/who; echo said\nCOPY data /\nCMD [\"cat\", \"/who\", \"/data\"]\n";
        var answer = post("?name=app&network=none&arg.WHO=me", packed(context(recipe)));
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        assertThat(answer.body())
                .contains("\"exit_code\":0", "\"digest\":\"sha256:", "\"state\":\"done\"", "] said\\n");
        var ran = server.post("/v1/run", "{\"image\":\"app\"}");
        assertThat(ran.text()).contains("me\\ncopied\\n");
        var again = post("?name=app&network=none&arg.WHO=me", context(recipe), "Accept", "text/plain");
        assertThat(again.body()).contains("CACHED").doesNotContain("START").contains("[build] DONE manifest=");
    }

    @Test
    void tellsOfEachStepInFrames() throws Exception {
        var answer = post(
                "?name=framed&network=none", context("FROM bb\nRUN echo framed\n"), "Accept", "application/x-ndjson");
        assertThat(answer.body().lines())
                .anyMatch(line -> line.contains("\"state\":\"started\"") && line.contains("RUN echo framed"))
                .anyMatch(line -> line.contains("\"type\":\"stdout\"") && line.contains("] framed"))
                .anyMatch(line -> line.contains("\"state\":\"done\"") && line.contains("\"millis\":"))
                .anyMatch(line -> line.contains("\"state\":\"finished\"") && line.contains("sha256:"));
        var id = answer.headers().firstValue("Bobbin-Job-Id").orElseThrow();
        assertThat(server.get("/v1/jobs/" + id).text()).contains("\"ended\"");
        assertThat(server.get("/v1/jobs/" + id + "/output", "Accept: text/plain")
                        .text())
                .contains("] framed")
                .contains("[build] DONE");
    }

    @Test
    void takesARecipeAsJson() throws Exception {
        var answer = post(
                "?name=spelled&network=none",
                "{\"recipe\":\"FROM bb\\nCOPY f /f\\n\",\"files\":{\"f\":\"x\"}}".getBytes(UTF_8),
                "Content-Type",
                "application/json");
        assertThat(answer.body()).contains("\"exit_code\":0");
    }

    @Test
    void refusesWithTheLine() throws Exception {
        var wrong = post("?name=x", context("FROM bb\nFLY\n"));
        assertThat(wrong.statusCode()).isEqualTo(400);
        assertThat(wrong.body()).contains("Dockerfile:2: ", "\"field\":\"recipe\"");
        for (var time : List.of("-1", "8589934592", "soon")) {
            var late = post("?name=x&arg.SOURCE_DATE_EPOCH=" + time, context("FROM bb\n"));
            assertThat(late.statusCode()).isEqualTo(400);
            assertThat(late.body()).contains("\"field\":\"arg.SOURCE_DATE_EPOCH\"");
        }
        assertThat(post("?name=x&sideways=1", context("FROM bb\n")).statusCode())
                .isEqualTo(400);
        assertThat(post("?name=x", "no archive".getBytes(UTF_8)).statusCode()).isEqualTo(400);
        assertThat(post("?name=x", TestImages.tar().file("../up", "x").bytes()).body())
                .contains("climbs");
    }

    @Test
    void endsAsTheStepThatFailed() throws Exception {
        var answer = post("?name=failed&network=none", context("FROM bb\nRUN exit 9\n"));
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).contains("\"exit_code\":9", "\"state\":\"failed\"", "\"problem\":\"Dockerfile:2: ");
    }

    @Test
    void namesTheFileAndLineOfWarningsToo() throws Exception {
        var tar =
                TestImages.tar().file("sub/My.file", "FROM bb\nMAINTAINER me\n").bytes();
        assertThat(post("?name=old&file=sub/My.file", tar, "Accept", "text/plain")
                        .body())
                .contains("[build] sub/My.file:2: ");
    }

    @Test
    void attachesToTheBuildOfTheSameBytes() throws Exception {
        var body = context("FROM bb\nRUN echo once; cat /proc/sys/kernel/random/uuid\n");
        var first = post("?name=keyed&network=none&no_cache", body, "Idempotency-Key", "k1", "Accept", "text/plain");
        var second = post("?name=keyed&network=none&no_cache", body, "Idempotency-Key", "k1", "Accept", "text/plain");
        assertThat(first.body()).contains("] once");
        assertThat(second.body()).isEqualTo(first.body());
        assertThat(second.headers().firstValue("Bobbin-Job-Id"))
                .isPresent()
                .isEqualTo(first.headers().firstValue("Bobbin-Job-Id"));
        var other = post("?name=keyed&network=none&no_cache", context("FROM bb\n"), "Idempotency-Key", "k1");
        assertThat(other.statusCode()).isEqualTo(422);
        assertThat(other.body()).contains("idempotency_key_reused");
        assertThat(post("?name=another", body, "Idempotency-Key", "k1").statusCode())
                .isEqualTo(422);
        assertThat(post("?name=keyed", body, "Idempotency-Key", "").statusCode())
                .isEqualTo(400);
        // a refused request leaves its key as it was
        assertThat(post("?name=keyed", context("FLY\n"), "Idempotency-Key", "k2")
                        .statusCode())
                .isEqualTo(400);
        assertThat(post("?name=keyed", context("FROM bb\n"), "Idempotency-Key", "k2")
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void buildsThatNobodyWaitsForAreJobs() throws Exception {
        var body =
                "{\"build\":{\"recipe\":\"FROM bb\\nARG A\\nCOPY f /f\\nRUN --mount=type=secret,id=s cat /run/secrets/s"
                        + " >/g; echo $A\\n\",\"files\":{\"f\":{\"base64\":\"eAo=\",\"mode\":\"0755\"}},\"name\":\"later\","
                        + "\"args\":{\"A\":\"given\"},\"secrets\":{\"s\":\"secret\"},\"network\":\"none\","
                        + "\"limits\":{\"memory\":\"256MiB\",\"time\":\"20s\"}}}";
        var answer = server.post("/v1/jobs", body, "Idempotency-Key: later");
        assertThat(answer.status()).as(answer.text()).isEqualTo(202);
        var job = answer.headers().getOrDefault("location", "");
        assertThat(answer.text()).contains("\"kind\":\"build\"", "\"on_disconnect\":\"continue\"");
        assertThat(server.get(job + "?wait=20s").text()).contains("\"exit_code\":0");
        assertThat(server.get(job + "/output").text()).contains("] given\n", "[build] DONE manifest=");
        assertThat(server.get("/v1/jobs").text()).contains(job.substring(job.lastIndexOf('/') + 1));
        assertThat(server.post("/v1/jobs", body, "Idempotency-Key: later").headers())
                .containsEntry("location", job);
        assertThat(server.post("/v1/run", "{\"image\":\"later\",\"command\":[\"sh\",\"-c\",\"stat -c %a /f; cat /g\"]}")
                        .text())
                .contains("755\\nsecret");
    }

    @Test
    void aMemberIsSaidOnce() throws Exception {
        var answer = post(
                "?name=a",
                "{\"recipe\":\"FROM bb\",\"name\":\"b\"}".getBytes(UTF_8),
                "Content-Type",
                "application/json");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("\"field\":\"name\"", "already");
    }

    @Test
    void tellsHowABaseComes() throws Exception {
        // this very server is the registry
        var base = "127.0.0.1:" + server.http.port() + "/bb";
        var frames = post("?name=far&network=none", context("FROM " + base + "\n"), "Accept", "application/x-ndjson");
        assertThat(frames.body().lines())
                .anyMatch(line ->
                        line.contains("\"state\":\"pulling\",\"image\":\"" + base + "\",\"phase\":\"resolved\""))
                .anyMatch(line -> line.contains("\"phase\":\"done\""))
                .last(STRING)
                .contains("\"exit_code\":0");
        server.delete("/v1/images/" + base);
        var text = post("?name=far&network=none", context("FROM " + base + "\n"), "Accept", "text/plain");
        assertThat(text.body()).startsWith("[build] pulling " + base + " ").contains("[build] DONE manifest=");
        assertThat(text.headers().firstValue("Bobbin-Job-Id")).isPresent();
        // nothing comes of this once its text has begun, and the outcome says so
        server.delete("/v1/images/" + base);
        var late = "FROM 127.0.0.1:" + server.http.port() + "/none AS a\nFROM " + base + "\nCOPY --from=a /b /b\n";
        var cut = server.post("/v1/builds", new String(context(late), UTF_8), "Accept: text/plain");
        assertThat(cut.status()).as(cut.text()).isEqualTo(200);
        assertThat(cut.text()).startsWith("[build] pulling " + base + " ").contains("[build] FAILED: Dockerfile:1: ");
        assertThat(cut.trailers()).containsEntry("bobbin-outcome", "image_error");
        // nothing came of these: as a status before the stream has begun, and in its last frame once it has
        var none = "FROM 127.0.0.1:" + server.http.port() + "/none\n";
        assertThat(post("?name=far", context(none), "Accept", "text/plain").statusCode())
                .isEqualTo(404);
        var ended = post("?name=far", context(none), "Accept", "application/x-ndjson");
        assertThat(ended.statusCode()).isEqualTo(200);
        assertThat(ended.body().lines().toList().getLast())
                .contains("\"type\":\"ended\"", "\"code\":\"image_not_found\"", "Dockerfile:1: ")
                .doesNotContain("outcome");
    }

    @Test
    void takesNoMoreUploadsOfATenantThanItMayHave() throws Exception {
        var keyed = context("FROM bb\nRUN cat /proc/sys/kernel/random/uuid\n");
        var key = new String[] {"Idempotency-Key", "once", "Accept", "text/plain"};
        var earlier = post("?network=none", keyed, key);
        assertThat(earlier.body()).contains("] DONE");
        var open = new ArrayList<RawClient>();
        var slow = new AtomicBoolean(true);
        try {
            for (var i = 0; i < BuildConfig.DEFAULT.uploads(); i++) {
                var client = server.client();
                open.add(client);
                client.send(TestServer.head("POST", "/v1/builds?name=slow", "Content-Length: 10240") + "\r\n");
            }
            var senders = List.copyOf(open);
            Thread.ofVirtual().start(() -> trickle(senders, slow));
            awaitUploads(open.size());
            var more = post("?name=more", context("FROM bb\n"));
            assertThat(more.statusCode()).as(more.body()).isEqualTo(429);
            assertThat(more.headers().firstValue("Retry-After")).isPresent();
            assertThat(more.body()).contains("\"code\":\"busy\"");
            var old =
                    server.post("/containers/build", "{\"image\":\"x\",\"minibox\":\"FROM bb\",\"context\":\"/tmp\"}");
            assertThat(old.status()).as(old.text()).isEqualTo(429);
            // what is sent again needs no place
            assertThat(post("?network=none", keyed, key).body()).isEqualTo(earlier.body());
            assertThat(post("?network=none", context("FROM bb\n"), key).statusCode())
                    .isEqualTo(422);
            // whoever sends nothing loses its own
            slow.set(false);
            awaitUploads(0);
            for (var client : open) {
                assertThat(client.isClosedByServer()).isTrue();
            }
        } finally {
            slow.set(false);
            for (var client : open) {
                client.close();
            }
        }
        assertThat(post("?name=more", context("FROM bb\n")).statusCode()).isEqualTo(200);
        assertThat(server.host.meters.get("bobbin.build.uploads.bytes").gauge().value())
                .isZero();
        // said to be larger than all that a tenant may have
        try (var client = server.client()) {
            var huge = client.exchange(TestServer.head(
                            "POST",
                            "/v1/builds?name=slow",
                            "Content-Length: " + (BuildConfig.DEFAULT.uploadBytes() + 1))
                    + "\r\n");
            assertThat(huge.status()).isEqualTo(413);
            assertThat(huge.text()).contains("\"code\":\"too_large\"");
        }
    }

    private static void trickle(List<RawClient> senders, AtomicBoolean goesOn) {
        try {
            while (goesOn.get()) {
                for (var each : senders) {
                    each.send("x");
                }
                TimeUnit.MILLISECONDS.sleep(100);
            }
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException("send slowly", e);
        }
    }

    private void awaitUploads(int count) throws InterruptedException {
        var deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (server.host.meters.get("bobbin.build.uploads").gauge().value() != count) {
            assertThat(System.nanoTime()).as("uploads under way").isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }

    @Test
    void countsBuildsAndTheirSteps() throws Exception {
        var before = counted("bobbin.build.duration", "done");
        var cached = counted("bobbin.build.step", "cached");
        var executed = counted("bobbin.build.step", "executed");
        var refused = counted("bobbin.build.duration", "refused");
        var failed = counted("bobbin.build.duration", "failed");
        var recipe = context("FROM bb\nRUN echo counted >/c\n");
        post("?network=none", recipe);
        // its place was free before its end was told
        assertThat(server.host.meters.get("bobbin.build.uploads").gauge().value())
                .isZero();
        post("?network=none", recipe);
        assertThat(server.host.meters.get("bobbin.build.uploads").gauge().value())
                .isZero();
        post("?network=none", context("FLY\n"));
        post("?network=none", context("FROM bb\nRUN exit 1\n"));
        assertThat(counted("bobbin.build.duration", "done")).isEqualTo(before + 2);
        assertThat(counted("bobbin.build.step", "cached")).isEqualTo(cached + 1);
        assertThat(counted("bobbin.build.step", "executed")).isEqualTo(executed + 1);
        assertThat(counted("bobbin.build.duration", "refused")).isEqualTo(refused + 1);
        assertThat(counted("bobbin.build.duration", "failed")).isEqualTo(failed + 1);
        assertThat(server.host.meters.get("bobbin.build.cache.entries").gauge().value())
                .isPositive();
        assertThat(server.host
                        .meters
                        .get("bobbin.build.context")
                        .functionCounter()
                        .count())
                .isPositive();
    }

    private long counted(String meter, String result) {
        return server.host.meters.get(meter).tag("result", result).timer().count();
    }
}
