package dev.bobbin.scheduler.http.minibox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.TestImages;
import dev.bobbin.runner.host.LastingSandbox;
import dev.bobbin.scheduler.admission.AdmissionConfig;
import dev.bobbin.scheduler.http.RawClient;
import dev.bobbin.scheduler.http.TestServer;
import dev.bobbin.scheduler.tenant.Caller;
import dev.bobbin.scheduler.tenant.Callers;
import dev.bobbin.scheduler.tenant.Scope;
import dev.bobbin.scheduler.tenant.Tenant;
import dev.bobbin.scheduler.tenant.Token;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// What an unmodified client of minibox takes for granted and no transcript shows: time, connections, terminals.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class MiniboxIT {
    private static final String SLEEPER = "{\"image\":\"bb\",\"command\":[\"sleep\",\"600\"],\"detached\":true}";
    private static final Pattern EXIT_CODE = Pattern.compile("\"exit_code\":(-?[0-9]+)");

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
        server.close();
    }

    private String detached(String body) throws IOException {
        var answer = server.post("/containers/run", body);
        assertThat(answer.text()).matches("[a-f0-9]{8}\n");
        return answer.text().strip();
    }

    private static String sh(String script, String more) {
        return "{\"image\":\"bb\",\"command\":[\"sh\",\"-c\",\"" + script + "\"]" + more + "}";
    }

    private void awaitGone(String id) throws Exception {
        var end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (server.sandboxes
                .find(id, Caller.ANYBODY)
                .flatMap(LastingSandbox::ending)
                .isEmpty()) {
            assertThat(System.nanoTime()).isLessThan(end);
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    @Test
    void sendsOutputAsItComes() throws IOException {
        try (var client = server.client()) {
            client.send(TestServer.request("/containers/run", sh("echo a; sleep 1; echo b", "")));
            assertThat(client.line()).isEqualTo("HTTP/1.1 200 OK");
            client.headers();
            assertThat(client.chunk()).asString(StandardCharsets.UTF_8).isEqualTo("a\n");
            var first = System.nanoTime();
            assertThat(client.chunk()).asString(StandardCharsets.UTF_8).isEqualTo("b\n");
            assertThat(Duration.ofNanos(System.nanoTime() - first))
                    .isBetween(Duration.ofMillis(700), Duration.ofSeconds(5));
            assertThat(client.chunk()).isEmpty();
        }
    }

    @Test
    void keepsEveryContainerInTheList() throws IOException {
        var before = Pattern.compile("\"exit_code\"")
                .matcher(server.get("/containers").text())
                .results()
                .count();
        for (var index = 0; index < 20; index++) {
            assertThat(server.post("/containers/run", sh("exit 0", "")).status())
                    .isEqualTo(200);
        }
        var after =
                EXIT_CODE.matcher(server.get("/containers").text()).results().count();
        assertThat(after - before).isGreaterThanOrEqualTo(20);
    }

    @Test
    void endsAForegroundContainerWhoseClientLeaves() throws Exception {
        try (var client = server.client()) {
            client.send(TestServer.request("/containers/run", sh("echo $$; sleep 600", ",\"name\":\"left\"")));
            client.line();
            client.headers();
            assertThat(client.chunk()).isNotEmpty();
        }
        awaitGone("left");
        assertThat(server.get("/containers").text())
                .containsPattern("\"status\":\"exited\"[^}]*\"exit_code\":137,\"name\":\"left\"");
    }

    @Test
    void followsLogsUntilTheEnd() throws IOException {
        var id = detached(sh("echo one; sleep 1; echo two", ",\"detached\":true"));
        var answer = server.get("/containers/logs?id=" + id + "&follow=1");
        assertThat(answer.text()).isEqualTo("one\ntwo\n");
        assertThat(server.get("/containers/logs?id=" + id + "&follow=0").text()).isEqualTo("one\ntwo\n");
    }

    @Test
    void measuresWhatAContainerUses() throws Exception {
        var id = detached(sh("while :; do :; done", ",\"detached\":true,\"cpu\":50000"));
        var percent = Pattern.compile("\"cpu_percent\":([0-9.E-]+)");
        var first = server.get("/containers/stats?id=" + id).text();
        assertThat(first).contains("\"cpu_percent\":0");
        assertThat(first).contains("\"memory_limit\":0");
        TimeUnit.SECONDS.sleep(1);
        var second = percent.matcher(server.get("/containers/stats?id=" + id).text());
        assertThat(second.find()).isTrue();
        assertThat(Double.parseDouble(second.group(1))).isBetween(1.0, 90.0);
        assertThat(server.post("/containers/remove?id=" + id, "").status()).isEqualTo(200);
    }

    @Test
    void refusesBodiesOverFourMebibytes() throws IOException {
        for (var path : List.of("/containers/run", "/containers/exec")) {
            var answer = server.post(path, " ".repeat(4 * 1024 * 1024 + 1));
            assertThat(answer.status()).isEqualTo(413);
            assertThat(answer.text()).isEqualTo("Request Entity Too Large\n");
        }
    }

    @Test
    void takesTheConnectionOfAnInteractiveRun() throws IOException {
        try (var client = server.client()) {
            client.send(raw("/containers/run", "{\"image\":\"bb\",\"command\":[\"sh\"],\"interactive\":true}"));
            talk(client);
            assertThat(rest(client)).contains("42\r\n").endsWith("\n[error] exit status 7\n");
        }
    }

    @Test
    void findsHeadAndBodyInTwoSegmentsAndInputBehindThem() throws Exception {
        try (var client = server.client()) {
            client.socket.setTcpNoDelay(true);
            var request = raw("/containers/run", "{\"image\":\"bb\",\"command\":[\"sh\"],\"interactive\":true}");
            var body = request.indexOf("\r\n\r\n") + 4;
            client.send(request.substring(0, body));
            TimeUnit.MILLISECONDS.sleep(300);
            client.send(request.substring(body) + "echo $((40+2)); exit 7\n");
            assertHead(client);
            assertThat(rest(client)).contains("42\r\n").endsWith("\n[error] exit status 7\n");
        }
    }

    @Test
    void findsInputGluedToTheBody() throws IOException {
        var id = detached(SLEEPER);
        var exec = "{\"id\":\"" + id + "\",\"command\":[\"sh\"],\"interactive\":true}";
        var run = "{\"image\":\"bb\",\"command\":[\"sh\"],\"interactive\":true}";
        for (var request : List.of(raw("/containers/run", run), raw("/containers/exec", exec))) {
            try (var client = server.client()) {
                client.send(request + "echo $((40+2)); exit 7\n");
                assertHead(client);
                assertThat(rest(client)).contains("42\r\n").endsWith("exit status 7\n");
            }
        }
        server.post("/containers/remove?id=" + id, "");
    }

    @Test
    void takesTheConnectionOfAnInteractiveExec() throws IOException {
        var id = detached(SLEEPER);
        try (var client = server.client()) {
            client.send(raw("/containers/exec", "{\"id\":\"" + id + "\",\"command\":[\"sh\"],\"interactive\":true}"));
            talk(client);
            assertThat(rest(client)).contains("42\r\n").endsWith("\n[error] exec failed: exit status 7\n");
        }
        server.post("/containers/remove?id=" + id, "");
    }

    @Test
    void tellsBehindTheHeadWhyAnInteractiveRunCannotBe() throws IOException {
        try (var client = server.client()) {
            client.send(raw("/containers/run", "{\"image\":\"none\",\"command\":[\"sh\"],\"interactive\":true}"));
            assertHead(client);
            assertThat(rest(client)).isEqualTo("\n[error] failed to resolve image config: image none not found\n");
        }
        try (var client = server.client()) {
            client.send(raw("/containers/run", "{\"image\":\"none\",\"interactive\":true}"));
            assertThat(client.answer().status()).isEqualTo(400);
        }
    }

    @Test
    void endsAnInteractiveContainerWhoseClientLeaves() throws Exception {
        try (var client = server.client()) {
            var script = "{\"image\":\"bb\",\"command\":[\"sleep\",\"600\"],\"interactive\":true,\"name\":\"quiet\"}";
            client.send(raw("/containers/run", script));
            assertHead(client);
        }
        awaitGone("quiet");
    }

    /// As the official client writes it.
    private static String raw(String path, String json) {
        return "POST " + path + " HTTP/1.1\r\nHost: minibox\r\nContent-Type: application/json\r\nContent-Length: "
                + json.length() + "\r\n\r\n" + json;
    }

    private static void talk(RawClient client) throws IOException {
        assertHead(client);
        client.send("echo $((40+2)); exit 7\n");
    }

    private static void assertHead(RawClient client) throws IOException {
        assertThat(client.line()).isEqualTo("HTTP/1.1 200 OK");
        assertThat(client.headers()).containsOnly(Map.entry("content-type", "application/octet-stream"));
    }

    private static String rest(RawClient client) throws IOException {
        return new String(client.socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    @Test
    void findsContainersByIdAliasAndNameInEveryApi() throws IOException {
        var id = detached(sh("sleep 600", ",\"detached\":true,\"name\":\"everywhere\""));
        var nativeView = server.get("/v1/sandboxes/" + id);
        assertThat(nativeView.text()).contains("\"aliases\":[\"" + id + "\"]", "\"name\":\"everywhere\"");
        var full = Pattern.compile("\"id\":\"([0-9a-f-]{36})\"").matcher(nativeView.text());
        assertThat(full.find()).isTrue();
        assertThat(full.group(1)).endsWith(id);
        assertThat(server.post("/containers/exec", "{\"id\":\"everywhere\",\"command\":[\"echo\",\"hi\"]}")
                        .text())
                .isEqualTo("hi\n");
        var made = server.post("/v1/sandboxes", "{\"name\":\"native\"}").text();
        var alias = Pattern.compile("\"aliases\":\\[\"([a-f0-9]{8})\"]").matcher(made);
        assertThat(alias.find()).isTrue();
        assertThat(server.get("/containers").text()).contains("\"" + alias.group(1) + "\":{\"id\":");
        assertThat(server.post("/containers/remove?id=" + alias.group(1), "").status())
                .isEqualTo(200);
        assertThat(server.post("/containers/remove?id=" + full.group(1), "").text())
                .isEqualTo("Container " + id + " removed\n");
        assertThat(server.get("/v1/sandboxes/everywhere").status()).isEqualTo(404);
    }

    @Test
    void keepsTenantsApart() throws IOException {
        var red = Token.of("red", "red-secret", new Tenant("red"), Set.of(Scope.READ, Scope.RUN));
        var blue = Token.of("blue", "blue-secret", new Tenant("blue"), Set.of(Scope.READ, Scope.RUN));
        try (var both = TestServer.open(AdmissionConfig.DEFAULT, new Callers(List.of(red, blue)))) {
            var run = "{\"image\":\"host\",\"command\":[\"sleep\",\"600\"],\"detached\":true,\"name\":\"web\"}";
            var ours = both.post("/containers/run", run, "X-API-Token: red-secret")
                    .text()
                    .strip();
            var theirs = both.post("/containers/run", run, "X-API-Token: blue-secret")
                    .text()
                    .strip();
            assertThat(both.get("/containers", "X-API-Token: red-secret").text())
                    .contains(ours)
                    .doesNotContain(theirs);
            for (var path : List.of("stop", "kill", "remove", "start")) {
                var answer = both.post("/containers/" + path + "?id=" + theirs, "", "X-API-Token: red-secret");
                assertThat(answer.status()).isEqualTo(404);
            }
            assertThat(both.get("/containers/logs?id=" + theirs, "X-API-Token: red-secret")
                            .status())
                    .isEqualTo(404);
            assertThat(both.get("/v1/sandboxes/" + theirs, "X-API-Token: red-secret")
                            .status())
                    .isEqualTo(404);
        }
    }
}
