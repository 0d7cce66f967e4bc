package dev.bobbin.scheduler.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.ImageReference;
import dev.bobbin.image.TestImages;
import dev.bobbin.image.store.PrunePolicy;
import dev.bobbin.scheduler.http.TestServer;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
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
                "{\"recipe\":\"FROM bb\\nCOPY f /f\\n\",\"files\":{\"f\":\"x\"}}"
                        .getBytes(java.nio.charset.StandardCharsets.UTF_8),
                "Content-Type",
                "application/json");
        assertThat(answer.body()).contains("\"exit_code\":0");
    }

    @Test
    void refusesWithTheLine() throws Exception {
        var wrong = post("?name=x", context("FROM bb\nFLY\n"));
        assertThat(wrong.statusCode()).isEqualTo(400);
        assertThat(wrong.body()).contains("line 2", "\"field\":\"recipe\"");
        for (var time : List.of("-1", "8589934592", "soon")) {
            var late = post("?name=x&arg.SOURCE_DATE_EPOCH=" + time, context("FROM bb\n"));
            assertThat(late.statusCode()).isEqualTo(400);
            assertThat(late.body()).contains("\"field\":\"arg.SOURCE_DATE_EPOCH\"");
        }
        assertThat(post("?name=x&sideways=1", context("FROM bb\n")).statusCode())
                .isEqualTo(400);
        assertThat(post("?name=x", "no archive".getBytes(java.nio.charset.StandardCharsets.UTF_8))
                        .statusCode())
                .isEqualTo(400);
        assertThat(post("?name=x", TestImages.tar().file("../up", "x").bytes()).body())
                .contains("climbs");
    }

    @Test
    void endsAsTheStepThatFailed() throws Exception {
        var answer = post("?name=failed&network=none", context("FROM bb\nRUN exit 9\n"));
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).contains("\"exit_code\":9", "\"state\":\"failed\"", "\"problem\":\"line 2: ");
    }
}
