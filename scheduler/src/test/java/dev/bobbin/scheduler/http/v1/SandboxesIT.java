package dev.bobbin.scheduler.http.v1;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.scheduler.http.RawClient;
import dev.bobbin.scheduler.http.ServedTests;
import dev.bobbin.scheduler.http.TestServer;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// `/v1/sandboxes` against a real host.
@Timeout(60)
final class SandboxesIT extends ServedTests {
    private static final Pattern ID = Pattern.compile("\"id\":\"([^\"]+)\"");

    @AfterEach
    void removeAll() throws IOException {
        for (var id : ids(server.get("/v1/sandboxes").text())) {
            assertThat(server.delete("/v1/sandboxes/" + id).status()).isEqualTo(204);
        }
    }

    private static List<String> ids(String text) {
        return ID.matcher(text).results().map(result -> result.group(1)).toList();
    }

    private RawClient.Answer create(String body) throws IOException {
        return server.post("/v1/sandboxes", body);
    }

    private String created(String body) throws IOException {
        var answer = create(body);
        assertThat(answer.status()).as(answer.text()).isEqualTo(201);
        return ids(answer.text()).getFirst();
    }

    private String state(String idOrName) throws IOException {
        return server.get("/v1/sandboxes/" + idOrName).text();
    }

    private RawClient.Answer tell(String idOrName, String what, String body) throws IOException {
        return server.post("/v1/sandboxes/" + idOrName + "/" + what, body);
    }

    private RawClient.Answer exec(String sandbox, String script) throws IOException {
        return server.post(
                "/v1/exec", "{\"sandbox\":\"%s\",\"command\":[\"sh\",\"-c\",\"%s\"]}".formatted(sandbox, script));
    }

    @Test
    void makesWhatIsAskedForAndTellsOfIt() throws IOException {
        var answer = create(
                "{\"name\":\"web\",\"command\":[\"sleep\",\"60\"],\"env\":{\"A\":\"b\"},\"workdir\":\"/w\","
                        + "\"user\":\"nobody\",\"files\":{\"f\":\"text\"},\"labels\":{\"team\":\"blue\"},\"ttl\":\"1h\","
                        + "\"idle_timeout\":\"30m\",\"network\":\"none\",\"image\":\"host\",\"pull\":\"missing\","
                        + "\"on_disconnect\":\"continue\",\"output_policy\":\"kill\","
                        + "\"seccomp\":\"moderate\","
                        + "\"limits\":{\"memory\":\"64MiB\",\"cpus\":0.5,\"pids\":50,\"output\":\"1MiB\",\"disk\":\"8MiB\",\"cpuset\":\"0\"}}");

        assertThat(answer.status()).isEqualTo(201);
        var id = ids(answer.text()).getFirst();
        assertThat(answer.headers()).containsEntry("location", "/v1/sandboxes/" + id);
        assertThat(answer.text())
                .contains("\"name\":\"web\"", "\"state\":\"running\"", "\"image\":\"host\"", "\"created_at\":\"20")
                .contains("\"command\":[\"sleep\",\"60\"]", "\"expires_at\":\"20", "\"idle_timeout\":1800.0")
                .contains(
                        "\"limits\":{\"memory\":67108864,\"cpus\":0.5,\"pids\":50,\"cpuset\":\"0\",\"output\":1048576,\"disk\":8388608}")
                .contains(
                        "\"seccomp\":\"moderate\"",
                        "\"unenforced_limits\":[\"disk\"]",
                        "\"labels\":{\"team\":\"blue\"}",
                        "\"execs\":[]")
                .containsPattern("\"pid\":[1-9][0-9]*")
                .doesNotContain("\"env\"", "\"outcome\"", "\"problem\"");
        assertThat(exec("web", "echo $A; pwd; id -un; cat f").text()).contains("\"stdout\":\"b\\n/w\\nnobody\\ntext\"");
        assertThat(state("web")).isEqualTo(state(id)).contains("\"id\":\"" + id + "\"");
    }

    @Test
    void setsTheKernelsSettingsOfRunsAndSandboxes() throws IOException {
        var sysctls = "\"sysctls\":{\"net.core.somaxconn\":\"1021\",\"kernel.shmmax\":\"65537\"}";
        var run = server.post("/v1/run", "{\"command\":[\"cat\",\"/proc/sys/net/core/somaxconn\"]," + sysctls + "}");
        assertThat(run.text()).contains("\"stdout\":\"1021\\n\"");
        created("{\"name\":\"tuned\"," + sysctls + "}");
        assertThat(state("tuned")).contains(sysctls);
        assertThat(exec("tuned", "cat /proc/sys/kernel/shmmax").text()).contains("\"stdout\":\"65537\\n\"");
        created("{\"name\":\"plain\"}");
        assertThat(state("plain")).doesNotContain("sysctls");
    }

    @Test
    void listsByAgeStateAndLabelInPages() throws Exception {
        var first = created("{\"name\":\"first\",\"labels\":{\"team\":\"blue\",\"stage\":\"x\"}}");
        var second = created("{\"command\":[\"true\"],\"labels\":{\"team\":\"red\"}}");
        var third = created("{\"labels\":{\"team\":\"blue\"}}");
        await(second, "\"state\":\"stopped\"");

        assertThat(ids(server.get("/v1/sandboxes").text())).containsExactly(first, second, third);
        assertThat(ids(server.get("/v1/sandboxes?state=running").text())).containsExactly(first, third);
        assertThat(ids(server.get("/v1/sandboxes?state=stopped&state=failed").text()))
                .containsExactly(second);
        assertThat(ids(server.get("/v1/sandboxes?label=team=blue").text())).containsExactly(first, third);
        assertThat(ids(server.get("/v1/sandboxes?label=team=blue&label=stage").text()))
                .containsExactly(first);
        assertThat(server.get("/v1/sandboxes").text()).endsWith("\"next_cursor\":null}");
        var page = server.get("/v1/sandboxes?limit=2").text();
        assertThat(ids(page)).containsExactly(first, second);
        assertThat(page).endsWith("\"next_cursor\":\"" + second + "\"}");
        assertThat(ids(server.get("/v1/sandboxes?limit=2&cursor=" + second).text()))
                .containsExactly(third);
    }

    @Test
    void keepsItsFilesFromStopToStart() throws IOException {
        var id = created("{\"name\":\"kept\"}");
        exec("kept", "echo precious >/root/file");

        var stopped = tell("kept", "stop", "{\"grace\":\"2s\"}");

        assertThat(stopped.status()).isEqualTo(200);
        assertThat(stopped.text()).contains("\"state\":\"stopped\"", "\"outcome\":{");
        assertThat(tell(id, "stop", "").text()).contains("\"state\":\"stopped\"");
        var refused = exec("kept", "true");
        assertThat(refused.status()).isEqualTo(409);
        assertThat(refused.text())
                .contains("\"code\":\"sandbox_not_running\"", "\"field\":\"sandbox\"", "stopped; start it first");
        assertThat(tell("kept", "start", "").text()).contains("\"state\":\"running\"");
        assertThat(tell(id, "start", "{}").status()).isEqualTo(200);
        assertThat(exec("kept", "cat /root/file").text()).contains("\"stdout\":\"precious\\n\"");
        var restarted = tell("kept", "restart", "{\"signal\":\"KILL\",\"grace\":0}");
        assertThat(restarted.text()).contains("\"state\":\"running\"", "\"id\":\"" + id + "\"");
        assertThat(exec("kept", "cat /root/file").text()).contains("\"stdout\":\"precious\\n\"");
    }

    @Test
    void sendsItsProcessAnySignal() throws IOException {
        created("{\"name\":\"trap\",\"command\":[\"sh\",\"-c\",\"trap 'echo one' USR1; trap 'echo two' RTMIN+1;"
                + " echo ready; while :; do sleep 0.05; done\"]}");
        awaitOutput("trap", "ready\n");

        assertThat(tell("trap", "kill", "{\"signal\":\"SIGUSR1\"}").status()).isEqualTo(200);
        awaitOutput("trap", "ready\none\n");
        assertThat(tell("trap", "kill", "{\"signal\":35}").status()).isEqualTo(200);
        awaitOutput("trap", "ready\none\ntwo\n");
        for (var wrong : List.of("\"SIGNOPE\"", "0", "65", "-1", "1.5", "\"\"", "\"RTMIN+40\"")) {
            var refused = tell("trap", "kill", "{\"signal\":" + wrong + "}");
            assertThat(refused.status()).as(wrong).isEqualTo(400);
            assertThat(refused.text()).contains("\"field\":\"signal\"", "such as \\\"SIGTERM\\\"");
        }
        assertThat(state("trap")).contains("\"state\":\"running\"");
        assertThat(tell("trap", "kill", "").text())
                .contains("\"state\":\"stopped\"", "\"outcome\":{\"cause\":\"cancelled\"");
        assertThat(tell("trap", "kill", "").status()).isEqualTo(409);
    }

    @Test
    void refusesANameThatIsTakenAndLeavesItsHolderAlone() throws IOException {
        var id = created("{\"name\":\"only\"}");
        created("{\"name\":\"other\"}");

        for (var again : List.of(create("{\"name\":\"only\"}"), rename("other", "{\"name\":\"only\"}"))) {
            assertThat(again.status()).isEqualTo(409);
            assertThat(again.text()).contains("\"code\":\"name_taken\"", "\"field\":\"name\"");
        }
        assertThat(state("only")).contains(id, "\"state\":\"running\"");
        assertThat(rename("only", "{\"name\":\"new\"}").text()).contains("\"name\":\"new\"", id);
        assertThat(server.get("/v1/sandboxes/only").status()).isEqualTo(404);
        assertThat(state("new")).contains(id);
        created("{\"name\":\"only\"}");
        for (var wrong : List.of("{}", "{\"name\":\"\"}", "{\"name\":\"a b\"}", "{\"name\":\"" + id + "\"}")) {
            assertThat(rename("new", wrong).text()).as(wrong).contains("\"status\":400", "\"field\":\"name\"");
        }
        assertThat(state("new")).contains(id);
    }

    private RawClient.Answer rename(String idOrName, String body) throws IOException {
        try (var client = server.client()) {
            return client.exchange(TestServer.head("PATCH", "/v1/sandboxes/" + idOrName) + "Content-Length: "
                    + body.length() + "\r\n\r\n" + body);
        }
    }

    @Test
    void removesARunningOneWithEverythingInIt() throws Exception {
        var id = created("{\"name\":\"doomed\",\"command\":[\"sleep\",\"60\"]}");
        var started = System.nanoTime();
        try (var follower = server.client();
                var reader = server.client()) {
            follower.send(TestServer.request(
                    "/v1/exec",
                    "{\"sandbox\":\"doomed\",\"command\":[\"sh\",\"-c\",\"echo in; sleep 60\"]}",
                    "Accept: text/plain"));
            follower.line();
            var exec = follower.headers().get("bobbin-job-id");
            assertThat(follower.chunk()).isEqualTo("in\n".getBytes(UTF_8));
            reader.send(TestServer.head("GET", "/v1/sandboxes/doomed/output?follow", "Accept: application/x-ndjson")
                    + "\r\n");
            assertThat(reader.line()).endsWith("200 OK");
            reader.headers();
            assertThat(server.get("/v1/sandboxes/doomed").text()).contains("\"execs\":[\"" + exec + "\"]");

            assertThat(server.delete("/v1/sandboxes/" + id).status()).isEqualTo(204);

            assertThat(follower.chunk()).isEmpty();
            assertThat(follower.headers()).containsEntry("bobbin-outcome", "cancelled");
            var frames = new StringBuilder();
            for (var chunk = reader.chunk(); chunk.length > 0; chunk = reader.chunk()) {
                frames.append(new String(chunk, UTF_8));
            }
            assertThat(frames).contains("\"type\":\"ended\"");
        }
        assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(10));
        var gone = server.get("/v1/sandboxes/" + id);
        assertThat(gone.status()).isEqualTo(404);
        assertThat(gone.text()).contains("\"code\":\"sandbox_not_found\"");
        assertThat(server.delete("/v1/sandboxes/" + id).status()).isEqualTo(404);
        created("{\"name\":\"doomed\"}");
    }

    @Test
    void endsEveryFollowerWhenItsProcessEnds() throws Exception {
        created(
                "{\"name\":\"watched\",\"command\":[\"sh\",\"-c\",\"for i in 1 2 3; do echo $i; sleep 0.2; done; exit 4\"]}");
        var followers = new ArrayList<RawClient>();
        try {
            for (var each = 0; each < 20; each++) {
                var follower = server.client();
                followers.add(follower);
                follower.send(TestServer.head("GET", "/v1/sandboxes/watched/output?follow&stream=stdout") + "\r\n");
            }
            for (var follower : followers) {
                var answer = follower.answer();
                assertThat(answer.text()).isEqualTo("1\n2\n3\n");
                assertThat(answer.trailers())
                        .containsEntry("bobbin-outcome", "exited")
                        .containsEntry("bobbin-exit-code", "4");
            }
        } finally {
            for (var follower : followers) {
                follower.close();
            }
        }
        assertThat(server.get("/v1/sandboxes/watched/output?stream=stderr").text())
                .isEmpty();
        assertThat(server.get("/v1/sandboxes/watched/output?from=999999999").text())
                .contains("\"status\":400", "\"field\":\"from\"");
        await("watched", "\"state\":\"stopped\"");
        assertThat(state("watched")).contains("\"outcome\":{\"cause\":\"exited\",\"exit_code\":4}", "\"usage\":{");
    }

    @Test
    void goesByItselfWhenItHasLastedLongEnough() throws Exception {
        var brief = created("{\"ttl\":\"1s\"}");
        created("{\"name\":\"idle\",\"idle_timeout\":\"700ms\"}");
        created("{\"name\":\"busy\",\"idle_timeout\":\"700ms\"}");
        var busy = server.post("/v1/jobs", "{\"exec\":{\"sandbox\":\"busy\",\"command\":[\"sleep\",\"30\"]}}");
        assertThat(busy.status()).isEqualTo(202);

        await("idle", "\"state\":\"stopped\"");
        while (server.get("/v1/sandboxes/" + brief).status() != 404) {
            TimeUnit.MILLISECONDS.sleep(20);
        }

        assertThat(state("idle")).contains("\"cause\":\"cancelled\"", "\"by\":\"idle\"");
        assertThat(state("busy")).contains("\"state\":\"running\"");
    }

    @Test
    void saysWhatItUses() throws IOException {
        created("{\"name\":\"eater\"}");
        exec("eater", "head -c 20M /dev/zero >/dev/shm/eaten");

        assertThat(server.get("/v1/sandboxes/eater/stats").text())
                .contains("\"time\":\"20", "\"cpu\":{\"total_micros\":", "\"pids\":", "\"network\":{")
                .containsPattern("\"memory\":\\{\"bytes\":[0-9]{8,},\"peak_bytes\":[0-9]{8,}");
        assertThat(server.get("/v1/sandboxes/eater/stats?interval=1ms").text()).contains("\"field\":\"interval\"");
        assertThat(server.get("/v1/sandboxes/nobody/stats").status()).isEqualTo(404);
        try (var client = server.client()) {
            client.send(
                    TestServer.head("GET", "/v1/sandboxes/eater/stats?interval=100ms", "Accept: application/x-ndjson")
                            + "\r\n");
            assertThat(client.line()).endsWith("200 OK");
            client.headers();
            assertThat(new String(client.chunk(), UTF_8)).startsWith("{\"type\":\"sample\",\"at\":1,");
            assertThat(new String(client.chunk(), UTF_8)).startsWith("{\"type\":\"sample\",\"at\":2,");
            assertThat(tell("eater", "kill", "").status()).isEqualTo(200);
            var last = "";
            for (var chunk = client.chunk(); chunk.length > 0; chunk = client.chunk()) {
                last = new String(chunk, UTF_8);
            }
            assertThat(last).contains("{\"type\":\"ended\"");
        }
        assertThat(server.get("/v1/sandboxes/eater/stats").text()).contains("\"code\":\"sandbox_not_running\"");
    }

    @Test
    void tellsWhatBecomesOfIt() throws IOException {
        var before = server.sandboxes.lastEvent();
        try (var client = server.client()) {
            client.send(TestServer.head("GET", "/v1/events", "Accept: text/event-stream") + "\r\n");
            assertThat(client.line()).endsWith("200 OK");
            client.headers();

            var id = created("{\"name\":\"brief\"}");
            tell("brief", "kill", "");
            server.delete("/v1/sandboxes/brief");

            var seen = new StringBuilder();
            while (!seen.toString().contains("\"removed\"")) {
                seen.append(new String(client.chunk(), UTF_8));
            }
            assertThat(seen)
                    .contains("event: sandbox\ndata: {\"type\":\"sandbox\",\"at\":", "\"sandbox\":\"" + id + "\"")
                    .containsSubsequence("creating", "running", "stopping", "stopped", "\"detail\":\"cancelled\"");
        }
        var list = server.get("/v1/events?from=" + before, "Accept: application/json")
                .text();
        assertThat(list).contains("\"at\":" + (before + 1), "\"name\":\"brief\",\"change\":\"removed\"");
        try (var client = server.client()) {
            client.send(TestServer.head("GET", "/v1/events", "Accept: text/event-stream", "Last-Event-ID: " + before)
                    + "\r\n");
            client.line();
            client.headers();
            assertThat(new String(client.chunk(), UTF_8)).startsWith("id: " + (before + 1) + "\n");
        }
        assertThat(server.get("/v1/events?from=999999999", "Accept: application/x-ndjson")
                        .text())
                .contains("\"status\":400", "\"field\":\"from\"");
    }

    static Stream<Arguments> wrongSandboxes() {
        return Stream.of(
                Arguments.of("{\"name\":\"\"}", 400, "name"),
                Arguments.of("{\"name\":\"a/b\"}", 400, "name"),
                Arguments.of("{\"name\":\"-x\"}", 400, "name"),
                Arguments.of("{\"name\":\"" + "x".repeat(129) + "\"}", 400, "name"),
                Arguments.of("{\"name\":\"0198c0de-0000-7000-8000-000000000000\"}", 400, "name"),
                Arguments.of("{\"name\":1}", 400, "name"),
                Arguments.of("{\"ttl\":0}", 400, "ttl"),
                Arguments.of("{\"ttl\":\"soon\"}", 400, "ttl"),
                Arguments.of("{\"ttl\":\"99999999d\"}", 400, "ttl"),
                Arguments.of("{\"idle_timeout\":-1}", 400, "idle_timeout"),
                Arguments.of("{\"ports\":[80]}", 400, "ports[0]"),
                Arguments.of("{\"stdin\":\"x\"}", 400, "stdin"),
                Arguments.of("{\"on_disconnect\":\"kill\"}", 400, "on_disconnect"),
                Arguments.of("{\"command\":[]}", 400, "command"),
                Arguments.of("{\"command\":[\"/proc/self/exe\"]}", 400, "command[0]"),
                Arguments.of("{\"limits\":{\"time\":5}}", 400, "limits.time"),
                Arguments.of("{\"limits\":{\"memory\":1}}", 400, "limits.memory"),
                Arguments.of("{\"limits\":{\"memory\":\"4096TiB\"}}", 422, "limits.memory"),
                Arguments.of("{\"image\":\"no/such:image\",\"pull\":\"never\"}", 404, "image"),
                Arguments.of("{\"user\":\"nobody-has-this-name\"}", 400, "user"),
                Arguments.of("{\"workdir\":\"../x\"}", 400, "workdir"),
                Arguments.of("{\"files\":{\"../x\":\"\"}}", 400, "files"),
                Arguments.of("{\"mounts\":{}}", 400, "mounts"),
                Arguments.of("{\"sysctls\":{\"vm.swappiness\":\"1\"}}", 400, "sysctls.vm.swappiness"),
                Arguments.of("{\"surprise\":1}", 400, "surprise"));
    }

    @ParameterizedTest
    @MethodSource
    void wrongSandboxes(String body, int status, String field) throws IOException {
        var answer = create(body);
        assertThat(answer.status()).as(answer.text()).isEqualTo(status);
        assertThat(answer.headers()).containsEntry("content-type", "application/problem+json");
        assertThat(answer.text()).contains("\"field\":\"" + field + "\"", "\"detail\":\"");
        assertThat(server.get("/v1/sandboxes").text()).startsWith("{\"items\":[]");
    }

    @Test
    void refusesWhatIsNoRequest() throws IOException {
        created("{\"name\":\"calm\"}");

        for (var path : List.of("?state=asleep", "?label==x", "?cursor=x", "?limit=0")) {
            var answer = server.get("/v1/sandboxes" + path);
            assertThat(answer.status()).as(path).isEqualTo(400);
            assertThat(answer.text()).contains("\"field\":\"" + path.substring(1, path.indexOf('=')) + "\"");
        }
        assertThat(tell("calm", "stop", "{\"grace\":\"2h\"}").text()).contains("\"field\":\"grace\"", "1h");
        assertThat(tell("calm", "stop", "{\"when\":\"now\"}").text()).contains("\"field\":\"when\"");
        assertThat(tell("calm", "start", "{\"fast\":true}").text()).contains("\"field\":\"fast\"");
        assertThat(tell("calm", "stop", "[").status()).isEqualTo(400);
        assertThat(tell("nobody", "stop", "").status()).isEqualTo(404);
        var get = server.get("/v1/sandboxes/calm/stop");
        assertThat(get.status()).isEqualTo(405);
        assertThat(get.headers()).containsEntry("allow", "POST");
        assertThat(server.post("/v1/sandboxes/calm", "{}").headers()).containsEntry("allow", "GET, PATCH, DELETE");
        assertThat(state("calm")).contains("\"state\":\"running\"");
    }

    private void await(String idOrName, String text) throws IOException, InterruptedException {
        while (!state(idOrName).contains(text)) {
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }

    private void awaitOutput(String idOrName, String text) throws IOException {
        while (!server.get("/v1/sandboxes/" + idOrName + "/output").text().equals(text)) {
            Thread.onSpinWait();
        }
    }
}
