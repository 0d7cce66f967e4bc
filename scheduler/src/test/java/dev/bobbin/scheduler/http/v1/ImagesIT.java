package dev.bobbin.scheduler.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.TestImages;
import dev.bobbin.image.store.TestRegistry;
import dev.bobbin.scheduler.admission.AdmissionConfig;
import dev.bobbin.scheduler.http.ImageCalls;
import dev.bobbin.scheduler.http.TestServer;
import dev.bobbin.scheduler.tenant.Callers;
import dev.bobbin.scheduler.tenant.Scope;
import dev.bobbin.scheduler.tenant.Tenant;
import dev.bobbin.scheduler.tenant.Token;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The routes for images over a real server, with a real registry and skopeo.
@Timeout(60)
final class ImagesIT {
    @TempDir
    private Path directory = Path.of("");

    private TestRegistry registry;
    private TestServer server;
    private ImageCalls anna;
    private ImageCalls ben;
    private ImageCalls admin;
    private String image = "";

    @BeforeEach
    void open() throws Exception {
        registry = TestRegistry.start(directory.resolve("registry"));
        var layout = Files.createDirectories(directory.resolve("layout"));
        TestImages.layout(
                layout,
                "one",
                TestImages.config("/bin/sh", "-c", "echo from the image"),
                List.of(
                        TestImages.busybox(),
                        TestImages.tar()
                                .file("noise", TestImages.noise(1, 3_000_000), 0644)
                                .bytes()));
        image = registry.host() + "/demo/one:1";
        TestRegistry.skopeo("oci:" + layout + ":one", "docker://" + image);
        server = TestServer.open(
                AdmissionConfig.DEFAULT,
                new Callers(List.of(
                        token("anna", EnumSet.of(Scope.READ, Scope.RUN)),
                        token("ben", EnumSet.of(Scope.READ, Scope.RUN)),
                        token("root", EnumSet.allOf(Scope.class)))));
        anna = new ImageCalls(server, "anna");
        ben = new ImageCalls(server, "ben");
        admin = new ImageCalls(server, "root");
    }

    @AfterEach
    void close() throws Exception {
        anna.close();
        ben.close();
        admin.close();
        server.close();
        registry.close();
    }

    @Test
    void runsAnImageThatIsNotHereAndTellsHowItComes() throws Exception {
        var frames = anna.frames("/v1/run", job(image, ""));

        assertThat(frames.getFirst()).contains("\"type\":\"progress\"", "\"step\":\"resolving\"", image);
        assertThat(frames).filteredOn(frame -> frame.contains("\"unpacked\"")).hasSize(2);
        assertThat(frames)
                .filteredOn(frame -> frame.contains("\"total_bytes\":"))
                .isNotEmpty();
        assertThat(frames).anyMatch(frame -> frame.contains("\"data\":\"from the image\\n\""));
        assertThat(frames.getLast()).contains("\"type\":\"ended\"", "\"exit_code\":0");
        // what is here runs at once
        assertThat(anna.frames("/v1/run", job(image, "")).getFirst()).contains("\"type\":\"started\"");
    }

    @Test
    void bringsAnImageOfManyRequestsWithOneKeyForOneJob() throws Exception {
        var ids = new HashSet<String>();
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            var answers = new ArrayList<Future<HttpResponse<String>>>();
            for (var request = 0; request < 9; request++) {
                var form = List.of("application/x-ndjson", "text/event-stream", "application/json")
                        .get(request % 3);
                answers.add(tasks.submit(
                        () -> anna.post("/v1/run", job(image, ""), "Accept", form, "Idempotency-Key", "one of many")));
            }
            for (var answer : answers) {
                assertThat(answer.get().statusCode()).isEqualTo(200);
                var id = answer.get().headers().firstValue("Bobbin-Job-Id").orElseThrow();
                assertThat(answer.get().body()).contains("from the image", "\"id\":\"" + id + "\"");
                ids.add(id);
            }
        }
        assertThat(ids).hasSize(1);
    }

    @Test
    void waitsForTheImageOfAJsonOrTextAnswer() throws Exception {
        var json = anna.post("/v1/run", job(image, ""));

        assertThat(json.statusCode()).isEqualTo(200);
        assertThat(json.body()).contains("\"image\":\"" + image + "\"", "\"stdout\":\"from the image\\n\"");
        anna.delete("/v1/images/" + image);
        assertThat(anna.post("/v1/run", job(image, ""), "Accept", "text/plain").body())
                .isEqualTo("from the image\n");
    }

    @Test
    void asksAProgramToEndByTheSignalThatItsImageNames() throws Exception {
        var plain = TestImages.config();
        var layout = Files.createDirectories(directory.resolve("usr1"));
        TestImages.layout(
                layout,
                "usr1",
                new ImageConfig(
                        plain.environment(),
                        plain.entrypoint(),
                        plain.command(),
                        plain.user(),
                        plain.workdir(),
                        "SIGUSR1",
                        List.of(),
                        List.of(),
                        Map.of(),
                        null,
                        List.of(),
                        List.of(),
                        plain.origin()),
                List.of(TestImages.busybox()));
        var polite = registry.host() + "/demo/usr1:1";
        TestRegistry.skopeo("oci:" + layout + ":usr1", "docker://" + polite);

        var script = "trap 'exit 5' USR1; echo ready; while :; do sleep 0.05; done";
        var made = anna.post(
                "/v1/sandboxes",
                "{\"name\":\"polite\",\"image\":\"" + polite + "\",\"command\":[\"sh\",\"-c\",\"" + script + "\"]}");
        assertThat(made.statusCode()).as(made.body()).isEqualTo(201);
        while (!anna.get("/v1/sandboxes/polite/output").body().contains("ready")) {
            Thread.onSpinWait();
        }
        assertThat(anna.post("/v1/sandboxes/polite/stop", "").body())
                .contains("\"state\":\"stopped\"", "\"cause\":\"exited\",\"exit_code\":5");
        anna.delete("/v1/sandboxes/polite");
    }

    @Test
    void asksRegistriesAsThePolicySays() throws Exception {
        assertProblem(anna.post("/v1/run", job(image, "never")), 404, "image_not_found");
        assertThat(registry.blobRequests()).isEmpty();
        assertThat(anna.post("/v1/run", job(image, "missing")).statusCode()).isEqualTo(200);
        var blobs = registry.blobRequests().size();

        var again = anna.frames("/v1/run", job(image, "always"));

        assertThat(again.getFirst()).contains("\"resolving\"");
        assertThat(again).filteredOn(frame -> frame.contains("\"exists\"")).hasSize(2);
        assertThat(registry.blobRequests()).hasSize(blobs);
        assertProblem(anna.post("/v1/run", job(image, "sometimes")), 400, "invalid");
    }

    @Test
    void saysWhatNoRegistryKnows() throws Exception {
        var unknown = registry.host() + "/demo/nothing:1";

        assertProblem(anna.post("/v1/run", job(unknown, "")), 404, "image_not_found");
        var frames = anna.frames("/v1/run", job(unknown, ""));
        assertThat(frames.getLast())
                .contains("\"type\":\"ended\"", "\"status\":404", "\"code\":\"image_not_found\"")
                .doesNotContain("outcome");
        assertProblem(anna.post("/v1/images/pull", "{\"image\":\"" + unknown + "\"}"), 404, "image_not_found");
        assertProblem(anna.post("/v1/images/pull", "{\"image\":\"host\"}"), 422, "unsupported");
        assertProblem(anna.post("/v1/images/pull", "{}"), 400, "invalid");
    }

    @Test
    void givesADeadRegistryTenSecondsAndRemembersIt() throws Exception {
        try (var dead = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            var name = "127.0.0.1:" + dead.getLocalPort() + "/demo/one:1";
            var begun = System.nanoTime();

            var answer = anna.post("/v1/run", job(name, ""));

            var took = Duration.ofNanos(System.nanoTime() - begun);
            assertProblem(answer, 424, "image_unavailable");
            assertThat(answer.headers().firstValue("Retry-After")).contains("30");
            assertThat(took).isLessThan(Duration.ofSeconds(18));
            var again = System.nanoTime();
            assertThat(anna.frames("/v1/run", job(name, "")).getLast()).contains("\"status\":424");
            assertThat(Duration.ofNanos(System.nanoTime() - again)).isLessThan(took.dividedBy(2));
        }
    }

    @Test
    void endsThePullOfAClientThatLeaves() throws Exception {
        try (var dead = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                var client = server.client()) {
            var body = job("127.0.0.1:" + dead.getLocalPort() + "/demo/one:1", "");
            client.send(TestServer.request("/v1/run", body, "X-API-Key: anna"));
            try (var asked = dead.accept()) {
                asked.setSoTimeout(5_000);
                asked.getInputStream().read();
                client.socket.close();

                // the server hangs up on the registry, long before it would have given it up
                assertThat(asked.getInputStream().readAllBytes()).isNotNull();
            }
        }
    }

    @Test
    void pullsListsInspectsAndRemoves() throws Exception {
        var frames = anna.frames("/v1/images/pull", "{\"image\":\"" + image + "\"}");

        assertThat(frames.getLast()).contains("\"type\":\"ended\"", "\"image\":{\"name\":\"" + image + "\"");
        assertThat(anna.get("/v1/images").body())
                .contains("\"name\":\"host\",\"size\":0", "\"name\":\"" + image + "\"", "\"next_cursor\":null");
        var whole = anna.get("/v1/images/" + image);
        assertThat(whole.body())
                .contains("\"names\":[\"" + image + "\"]", "\"command\":[\"/bin/sh\"", "\"diff_id\":\"sha256:");
        assertThat(anna.get("/v1/images/" + image.replace("/", "%2F").replace(":", "%3A"))
                        .body())
                .isEqualTo(whole.body());
        assertThat(anna.delete("/v1/images/" + image).statusCode()).isEqualTo(204);
        assertProblem(anna.delete("/v1/images/" + image), 404, "image_not_found");
        assertProblem(anna.get("/v1/images/" + image), 404, "image_not_found");
        assertProblem(anna.get("/v1/images/No%20Image"), 400, "invalid");
        assertProblem(anna.delete("/v1/images/host"), 422, "unsupported");
        assertThat(anna.post("/v1/images/" + image, "").statusCode()).isEqualTo(405);
    }

    @Test
    void listsInPages() throws Exception {
        anna.post("/v1/images/pull", "{\"image\":\"" + image + "\"}");
        anna.post("/v1/images/tag", "{\"image\":\"" + image + "\",\"name\":\"a\"}");

        var names = new java.util.ArrayList<String>();
        var cursor = "";
        do {
            var page = anna.get("/v1/images?limit=1" + (cursor.isEmpty() ? "" : "&cursor=" + cursor))
                    .body();
            names.add(page.replaceAll(".*\"items\":\\[\\{\"name\":\"([^\"]*)\".*", "$1"));
            cursor = page.contains("\"next_cursor\":null")
                    ? ""
                    : page.replaceAll(".*\"next_cursor\":\"([^\"]*)\".*", "$1");
        } while (!cursor.isEmpty());

        assertThat(names).containsExactlyInAnyOrder("host", image, "a");
        assertProblem(anna.get("/v1/images?limit=0"), 400, "invalid");
        assertProblem(anna.get("/v1/images?cursor=!"), 400, "invalid");
    }

    @Test
    void savesWhatSkopeoReadsAndLoadsItAgain() throws Exception {
        anna.post("/v1/images/pull", "{\"image\":\"" + image + "\"}");
        for (var format : List.of("oci", "docker")) {
            var archive = anna.save("name=" + image + "&format=" + format, directory.resolve(format + ".tar"));
            assertThat(TestRegistry.run("skopeo", "inspect", format + "-archive:" + archive))
                    .contains("\"Architecture\"");
            anna.delete("/v1/images/" + image);

            var loaded = anna.load(archive, "");

            assertThat(loaded.statusCode()).as(loaded.body()).isEqualTo(200);
            assertThat(loaded.body()).contains("\"name\":\"" + image + "\"");
            assertThat(anna.post("/v1/run", job(image, "never")).body()).contains("from the image");
        }
        assertProblem(anna.get("/v1/images/save?name=nothing"), 404, "image_not_found");
        assertProblem(anna.get("/v1/images/save"), 400, "invalid");
        assertProblem(anna.post("/v1/images/load", "no archive"), 422, "image_invalid");
    }

    @Test
    void tagsAndPushes() throws Exception {
        anna.post("/v1/images/pull", "{\"image\":\"" + image + "\"}");
        var there = registry.host() + "/other/two:2";

        var tagged = anna.post("/v1/images/tag", "{\"image\":\"" + image + "\",\"name\":\"" + there + "\"}");
        var pushed = anna.frames("/v1/images/push", "{\"image\":\"" + there + "\"}");

        assertThat(tagged.statusCode()).isEqualTo(201);
        assertThat(pushed.getLast())
                .contains("\"image\":{\"name\":\"" + there + "\",\"digest\":\"sha256:", "\"platforms\":1}");
        assertThat(TestRegistry.run("skopeo", "inspect", "--tls-verify=false", "docker://" + there))
                .contains("other/two");
        assertProblem(anna.post("/v1/images/push", "{\"image\":\"nothing\"}"), 404, "image_not_found");
    }

    @Test
    void onlyAdministratorsPrune() throws Exception {
        anna.post("/v1/images/pull", "{\"image\":\"" + image + "\"}");

        assertProblem(anna.post("/v1/images/prune", ""), 403, "forbidden");
        assertThat(admin.post("/v1/images/prune", "").body()).contains("\"images\":[]");
        assertThat(admin.post("/v1/images/prune", "{\"unused_for\":0}").body())
                .contains("\"images\":[\"" + image + "\"]")
                .doesNotContain("\"freed_bytes\":0");
        assertProblem(anna.get("/v1/images/" + image), 404, "image_not_found");
    }

    @Test
    void aTenantsImagesDoNotExistForAnother() throws Exception {
        anna.post("/v1/images/pull", "{\"image\":\"" + image + "\"}");
        anna.post("/v1/images/tag", "{\"image\":\"" + image + "\",\"name\":\"secret\"}");

        assertThat(ben.get("/v1/images").body()).doesNotContain(image).doesNotContain("secret");
        assertProblem(ben.get("/v1/images/secret"), 404, "image_not_found");
        assertProblem(ben.get("/v1/images/save?name=secret"), 404, "image_not_found");
        assertProblem(ben.delete("/v1/images/secret"), 404, "image_not_found");
        assertProblem(ben.post("/v1/run", job("secret", "never")), 404, "image_not_found");
        assertThat(ben.get("/v2/library/secret/manifests/latest").statusCode()).isEqualTo(404);
        assertThat(anna.get("/v1/images/secret").statusCode()).isEqualTo(200);
    }

    @Test
    void whatIsSharedIsEverybodysToUseAndAnAdministratorsToChange() throws Exception {
        var shared = "{\"image\":\"" + image + "\",\"shared\":true}";

        assertProblem(anna.post("/v1/images/pull", shared), 403, "forbidden");
        assertThat(admin.post("/v1/images/pull", shared).statusCode()).isEqualTo(200);
        assertThat(ben.post("/v1/run", job(image, "never")).body()).contains("from the image");
        assertProblem(ben.delete("/v1/images/" + image), 403, "forbidden");
        assertThat(admin.delete("/v1/images/" + image + "?shared").statusCode()).isEqualTo(204);
        assertProblem(ben.get("/v1/images/" + image), 404, "image_not_found");
    }

    @Test
    void agentkernelsClientsRunAnyImage() throws Exception {
        var body = "{\"command\":[\"cat\",\"/etc/group\"],\"image\":\"" + image + "\"}";

        assertThat(anna.post("/run", body).body()).contains("\"success\":true", "extra:x:2000:app");
    }

    private static String job(String image, String pull) {
        return "{\"image\":\"" + image + "\"" + (pull.isEmpty() ? "" : ",\"pull\":\"" + pull + "\"") + "}";
    }

    private static Token token(String name, EnumSet<Scope> scopes) {
        return Token.of(name, name, new Tenant(name), scopes);
    }

    private static void assertProblem(HttpResponse<String> answer, int status, String code) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Content-Type")).contains("application/problem+json");
        assertThat(answer.body()).contains("\"code\":\"" + code + "\"");
    }
}
