package dev.bobbin.scheduler.http.minibox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.TestImages;
import dev.bobbin.image.store.PrunePolicy;
import dev.bobbin.scheduler.http.RawClient;
import dev.bobbin.scheduler.http.TestServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// `POST /containers/build`, whose context is a directory of this machine.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
final class BuildsIT {
    private static final String TWO_BLOCKS = """
            BASE bb
            BLOCK tools
                COPY data /data
                RUN cat /data; echo [own] tag; echo made > /made
            BLOCK app
                NEED tools
                WORKDIR /srv
                RUN cat /made > seen
            START cat /data /srv/seen
            """;

    @TempDir
    private Path context;

    private TestServer server = unset();

    @SuppressWarnings("NullAway") // set before any test
    private static TestServer unset() {
        return null;
    }

    @BeforeAll
    void open() throws IOException {
        server = TestServer.open();
        TranscriptsIT.image(server, "bb", TestImages.config("sh"));
    }

    @AfterAll
    void close() throws IOException {
        server.host.runtime().builds().prune(Duration.ZERO);
        server.host.images().prune(new PrunePolicy(Duration.ZERO, null));
        server.close();
    }

    private static String json(String image, String recipe, String context) {
        return "{\"image\":\"" + image + "\",\"minibox\":\""
                + recipe.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + "\",\"context\":\""
                + context + "\"}";
    }

    private RawClient.Answer build(String image, String recipe) throws IOException {
        return server.post("/containers/build", json(image, recipe, context.toString()));
    }

    private String run(String image) throws IOException {
        return server.post("/containers/run", "{\"image\":\"" + image + "\"}").text();
    }

    private String refused(String body) throws IOException {
        var answer = server.post("/containers/build", body);
        assertThat(answer.status()).as(answer.text()).isEqualTo(400);
        return answer.text();
    }

    @Test
    void buildsOnceAndThenFindsItBuilt() throws IOException {
        Files.writeString(context.resolve("data"), "from the context\n");
        var first = build("app", TWO_BLOCKS);
        assertThat(first.status()).isEqualTo(200);
        assertThat(first.headers()).doesNotContainKey("content-type").containsEntry("transfer-encoding", "chunked");
        var told = first.text().replaceAll("\\([0-9.]+m?s\\)", "(T)").replaceAll("cpu_time=\\S+", "cpu_time=T");
        assertThat(told)
                .matches("(?s)" + java.util.regex.Pattern.quote("""
                [build] START image=app
                [base] bb: ready (T)
                [build] mode=dag blocks=2
                [dag] wave=1 ready=tools
                [tools] START needs= workdir=/
                [tools] from the context
                [own] tag
                [tools] DONE (T)
                [dag] wave=1 done cached=0 built=1 cpu_time=T
                [dag] wave=2 ready=app
                [app] START needs=tools workdir=/
                [app] DONE (T)
                [dag] wave=2 done cached=0 built=1 cpu_time=T
                [dag-summary] blocks=2 cached=0 built=2
                [finalize] writing 2 layer(s)
                [finalize] done (T)
                [build] DONE image=app manifest=""")
                        + "[0-9a-f]{12} \\(T\\)\nBuild completed successfully\n");
        assertThat(run("app")).isEqualTo("from the context\nmade\n");

        var second = build("app", TWO_BLOCKS).text();
        assertThat(second)
                .contains("[tools] CACHED (", "[app] CACHED (", "[dag-summary] blocks=2 cached=2 built=0\n")
                .doesNotContain("DONE (")
                .endsWith("\nBuild completed successfully\n");

        Files.writeString(context.resolve("data"), "changed\n");
        assertThat(build("app", TWO_BLOCKS).text()).contains("[tools] DONE (", "[app] DONE (");
        assertThat(run("app")).isEqualTo("changed\nmade\n");
    }

    @Test
    void tellsInItsLastLineWhatFailed() throws IOException {
        var answer = build("failing", "BASE bb\nBLOCK a\n  RUN echo said; exit 9\n");
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.text())
                .contains("[a] said\n")
                .endsWith("\nBuild failed: block a: run [echo said; exit 9]: exit status 9\n");
        assertThat(build("failing", "BASE bb\nBLOCK a\n  NEED b\nBLOCK b\n  NEED a\n")
                        .text())
                .isEqualTo("""
                        [build] START image=failing
                        [build] line 2: BLOCK a
                        Build failed: circular or unsatisfiable block dependencies detected
                        """);
        assertThat(build("failing", "BASE localhost:1/none\nBLOCK a\n").text())
                .startsWith("[build] START image=failing\n[base] fetching localhost:1/none manifest...\n"
                        + "[build] line 1: BASE localhost:1/none\nBuild failed: ");
        assertThat(build("failing", "FROM bb\nRUN false\n").text())
                .contains("[build] mode=legacy-linear\nStep 1: RUN [false]\n ---> Building...\n")
                .endsWith("\nBuild failed: block step-1: run [false]: exit status 1\n");
        assertThat(server.get("/images").text()).doesNotContain("failing");
    }

    @Test
    void refusesInTheWordsThatClientsKnow() throws IOException {
        var fine = "BASE bb\nBLOCK a\n";
        assertThat(refused("")).isEqualTo("Invalid request\n");
        assertThat(refused("{")).isEqualTo("Invalid request\n");
        assertThat(refused("{\"minibox\":7}")).isEqualTo("Invalid request\n");
        assertThat(refused(json("", "", ""))).isEqualTo("MiniBox content is required\n");
        assertThat(refused(json("", "RUN x", ""))).isEqualTo("invalid Boxfile: missing BASE or BOX directive\n");
        assertThat(refused(json("", "BASE", ""))).isEqualTo("BASE requires an image argument\nline 1: BASE\n");
        for (var name : List.of("", "a/../b", "host", "x".repeat(257))) {
            assertThat(refused(json(name, fine, ""))).isEqualTo("invalid image name\n");
        }
        assertThat(refused(json("x", fine, ""))).isEqualTo("invalid build context: empty path\n");
        assertThat(refused(json("x", fine, context + "/none")))
                .isEqualTo("invalid build context: stat " + context + "/none: no such file or directory\n");
        Files.writeString(context.resolve("file"), "");
        assertThat(refused(json("x", fine, context + "/file")))
                .isEqualTo("invalid build context: build context must be a directory\n");
        for (var path : List.of(
                "/etc", context + "/../../../etc", "data", server.host.dataDir().toString())) {
            assertThat(refused(json("x", fine, path)))
                    .isEqualTo("invalid build context: build context path is not under an allowed prefix\n");
        }
        Files.createSymbolicLink(context.resolve("etc"), Path.of("/etc"));
        assertThat(refused(json("x", fine, context + "/etc"))).startsWith("invalid build context: stat ");
    }

    @Test
    void readsNothingOutsideItsContext() throws IOException {
        Files.writeString(context.resolve("within"), "within\n");
        Files.createSymbolicLink(context.resolve("passwd"), Path.of("/etc/passwd"));
        Files.createSymbolicLink(context.resolve("up"), Path.of("../../../../../../etc"));
        for (var source : List.of("../../../etc/passwd", "passwd", "up/passwd")) {
            assertThat(build("thief", "BASE bb\nBLOCK a\n  COPY " + source + " /stolen\n  RUN cat /stolen\n")
                            .text())
                    .as(source)
                    .doesNotContain("root:")
                    .contains("Build failed: ");
        }
        // what is beneath the context's root is as far up as a link leads
        Files.createDirectories(context.resolve("etc"));
        Files.writeString(context.resolve("etc/passwd"), "ours\n");
        assertThat(build("honest", "BASE bb\nBLOCK a\n  COPY passwd /kept\n  RUN cat /kept\n")
                        .text())
                .contains("[a] ours\n");
    }

    @Test
    void leavesOutWhatIsIgnored() throws IOException {
        Files.createDirectories(context.resolve("src/private"));
        Files.writeString(context.resolve("src/kept"), "");
        Files.writeString(context.resolve("src/private/key"), "");
        Files.writeString(context.resolve(".miniboxignore"), "# comment\nprivate\n");
        assertThat(build("ignoring", "BASE bb\nBLOCK a\n  COPY src /src\n  RUN ls /src\n")
                        .text())
                .contains("[a] kept\n")
                .doesNotContain("private");
    }

    @Test
    void keepsImagesRunnableWhenTheCacheGoes() throws IOException {
        var recipe = "BASE bb\nBLOCK a\n  RUN echo lasts > /f\nSTART cat /f\n";
        assertThat(build("lasting", recipe).text()).endsWith("Build completed successfully\n");
        assertThat(build("passing", "BASE bb\nBLOCK a\n  RUN head -c 100000 /dev/urandom > /f\n")
                        .text())
                .endsWith("Build completed successfully\n");
        assertThat(server.post("/images/remove?image=passing", "").status()).isEqualTo(200);

        assertThat(server.post("/system/prune", "").text()).doesNotContain("build_cache");
        assertThat(build("lasting", recipe).text()).contains("[a] CACHED (");
        assertThat(server.post("/system/prune?build_cache=1", "").text())
                .containsPattern("\"build_cache_removed\":[1-9][0-9]*,\"build_cache_bytes_freed\":[1-9][0-9]{5,}\\}");
        assertThat(run("lasting")).isEqualTo("lasts\n");
        assertThat(server.post("/system/prune?build_cache=1", "").text()).doesNotContain("build_cache");
        assertThat(build("lasting", recipe).text()).contains("[a] DONE (");
        assertThat(run("lasting")).isEqualTo("lasts\n");
    }

    @Test
    void endsTheBuildWhoseClientLeaves() throws Exception {
        try (var client = server.client()) {
            var recipe = "BASE bb\nBLOCK a\n  RUN echo begun; sleep 600\n";
            client.send(TestServer.request("/containers/build", json("left", recipe, context.toString())));
            client.line();
            client.headers();
            var told = new StringBuilder();
            while (told.indexOf("begun") < 0) {
                told.append(new String(client.chunk(), StandardCharsets.UTF_8));
            }
            assertThat(server.host.runtime().capacity().running()).isPositive();
        }
        var end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (server.host.runtime().capacity().running() > 0) {
            assertThat(System.nanoTime()).isLessThan(end);
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    @Test
    void refusesBodiesOverSixtyFourMebibytes() throws IOException {
        var answer = server.post("/containers/build", " ".repeat(64 * 1024 * 1024 + 1));
        assertThat(answer.status()).isEqualTo(413);
        assertThat(answer.text()).isEqualTo("Request Entity Too Large\n");
    }
}
