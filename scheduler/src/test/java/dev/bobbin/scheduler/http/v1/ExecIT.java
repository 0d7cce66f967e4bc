package dev.bobbin.scheduler.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.JobId;
import dev.bobbin.scheduler.http.RawClient;
import dev.bobbin.scheduler.http.ServedTests;
import dev.bobbin.scheduler.http.TestServer;
import dev.bobbin.scheduler.tenant.Caller;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// `/v1/exec` and execs as jobs, in one sandbox that runs all the time.
@Timeout(60)
final class ExecIT extends ServedTests {
    @BeforeAll
    void prepare() throws IOException {
        var answer =
                server.post("/v1/sandboxes", "{\"name\":\"box\",\"env\":{\"FROM\":\"box\"},\"workdir\":\"/home\"}");
        assertThat(answer.status()).as(answer.text()).isEqualTo(201);
    }

    @AfterAll
    void close() throws IOException {
        assertThat(server.delete("/v1/sandboxes/box").status()).isEqualTo(204);
    }

    private static String sh(String script, String more) {
        return "{\"sandbox\":\"box\",\"command\":[\"sh\",\"-c\",\"" + script + "\"]" + more + "}";
    }

    private RawClient.Answer exec(String body, String... headers) throws IOException {
        return server.post("/v1/exec", body, headers);
    }

    private static String jobId(RawClient.Answer answer) {
        return String.valueOf(answer.headers().get("bobbin-job-id"));
    }

    @Test
    void answersAsARunDoes() throws IOException {
        var json = exec(sh("echo out; echo err >&2; exit 3", ""));
        assertThat(json.status()).isEqualTo(200);
        assertThat(json.text())
                .contains("\"outcome\":{\"cause\":\"exited\",\"exit_code\":3}")
                .contains("\"stdout\":\"out\\n\",\"stderr\":\"err\\n\",\"truncated\":false")
                .contains("\"image\":\"host\",\"sandbox\":\"", "\"path\":\"entered\"");
        var text = exec(sh("echo out; exit 3", ""), "Accept: text/plain");
        assertThat(text.text()).isEqualTo("out\n");
        assertThat(text.trailers()).containsEntry("bobbin-outcome", "exited").containsEntry("bobbin-exit-code", "3");
        assertThat(exec(sh("echo out", ""), "Accept: application/x-ndjson").text())
                .contains("{\"type\":\"started\"", "\"data\":\"out\\n\"", "{\"type\":\"ended\"");
        assertThat(exec(sh("echo out", ""), "Accept: text/event-stream").text())
                .contains("event: stdout\ndata: {", "event: ended\n");
        assertThat(server.get("/v1/jobs/" + jobId(json)).text())
                .contains("\"kind\":\"exec\"", "\"state\":\"ended\"", "\"sandbox\":\"");
    }

    @Test
    void takesWhatItAsksForAndTheRestFromItsSandbox() throws IOException {
        var answer = exec(sh(
                "cat; echo $FROM $OWN; pwd; id -un",
                ",\"stdin\":\"in\\n\",\"env\":{\"OWN\":\"1 2\"},\"workdir\":\"/tmp\",\"user\":\"nobody\","
                        + "\"labels\":{\"a\":\"b\"},\"limits\":{\"time\":\"10s\",\"output\":\"1MiB\"}"));
        assertThat(answer.text()).contains("\"stdout\":\"in\\nbox 1 2\\n/tmp\\nnobody\\n\"");
        assertThat(exec(sh("echo $FROM; pwd; id -un", "")).text()).contains("\"stdout\":\"box\\n/home\\nroot\\n\"");
        assertThat(server.get("/v1/jobs/" + jobId(answer)).text())
                .contains("\"labels\":{\"a\":\"b\"}", "\"time\":10.0");
    }

    @Test
    void seesWhatOthersInItDo() throws Exception {
        exec(sh("echo shared >/tmp/seen; sleep 60 </dev/null >/dev/null 2>&1 &", ""));

        assertThat(exec(sh("cat /tmp/seen; pgrep -c -x sleep; pkill -x sleep", ""))
                        .text())
                .contains("\"stdout\":\"shared\\n1\\n\"");
    }

    @Test
    void tellsHowItEnded() throws IOException {
        assertThat(exec("{\"sandbox\":\"box\",\"command\":[\"nosuch\"]}").text())
                .contains("\"exit_code\":127");
        assertThat(exec(sh("kill -TERM $$", "")).text())
                .contains("\"cause\":\"killed\",\"exit_code\":143,\"signal\":\"SIGTERM\"");
        assertThat(exec(sh("sleep 60", ",\"limits\":{\"time\":\"300ms\"}")).text())
                .contains("\"cause\":\"timed_out\"");
        assertThat(exec(sh("yes", ",\"limits\":{\"output\":\"100kB\"}")).text()).contains("\"cause\":\"output_limit\"");
    }

    @Test
    void endsWithItsCaller() throws Exception {
        JobId id;
        try (var client = server.client()) {
            client.send(TestServer.request("/v1/exec", sh("sleep 61", ""), "Accept: text/plain"));
            client.line();
            id = JobId.parse(String.valueOf(client.headers().get("bobbin-job-id")))
                    .orElseThrow();
            TimeUnit.MILLISECONDS.sleep(400);
        }
        var left = System.nanoTime();
        var ending = server.dispatcher.find(id, Caller.ANYBODY).orElseThrow().await();
        assertThat(ending.outcome().cause()).isEqualTo("cancelled");
        assertThat(Duration.ofNanos(System.nanoTime() - left)).isLessThan(Duration.ofSeconds(20));
        assertThat(exec(sh("pgrep -f 'sleep 6[1]' || echo none", "")).text()).contains("\"stdout\":\"none\\n\"");
    }

    @Test
    void streamsStandardInput() throws Exception {
        try (var client = server.client()) {
            client.send(TestServer.request("/v1/exec", sh("wc -c", ",\"stdin\":\"open\""), "Accept: text/plain"));
            client.line();
            var id = client.headers().get("bobbin-job-id");
            server.post("/v1/jobs/" + id + "/stdin?at=0", "x".repeat(200_000));
            server.post("/v1/jobs/" + id + "/stdin?at=200000&eof", "y".repeat(5));
            assertThat(new String(client.chunk(), StandardCharsets.UTF_8)).isEqualTo("200005\n");
        }
    }

    @Test
    void goesOnWithoutACallerAsAJob() throws Exception {
        var answer = server.post(
                "/v1/jobs",
                "{\"exec\":" + sh("trap 'echo told; exit 9' USR1; echo begun; while :; do sleep 0.05; done", "") + "}");
        assertThat(answer.status()).isEqualTo(202);
        var job = "/v1/jobs/" + jobId(answer);
        assertThat(answer.headers()).containsEntry("location", job);
        assertThat(answer.text())
                .contains("\"kind\":\"exec\"", "\"state\":\"running\"", "\"on_disconnect\":\"continue\"");
        while (!server.get(job + "/output").text().equals("begun\n")) {
            TimeUnit.MILLISECONDS.sleep(10);
        }
        assertThat(server.post(job + "/kill", "{\"signal\":\"NOPE\"}").text()).contains("\"field\":\"signal\"");
        assertThat(server.get(job).text()).contains("\"state\":\"running\"");

        assertThat(server.post(job + "/kill", "{\"signal\":\"USR1\"}").status()).isEqualTo(202);

        assertThat(server.get(job + "?wait=10s").text()).contains("\"cause\":\"exited\",\"exit_code\":9");
        assertThat(server.get(job + "/output?follow").text()).isEqualTo("begun\ntold\n");
        assertThat(server.post(job + "/kill", "").status()).isEqualTo(409);
        var other = server.post("/v1/jobs", "{\"exec\":" + sh("sleep 60", "") + "}");
        assertThat(server.post("/v1/jobs/" + jobId(other) + "/cancel", "").status())
                .isEqualTo(202);
        assertThat(server.get("/v1/jobs/" + jobId(other) + "?wait=10s").text()).contains("\"cause\":\"cancelled\"");
    }

    @Test
    void hasATerminalWhoseSizeCanChange() throws Exception {
        var answer = server.post(
                "/v1/jobs",
                "{\"exec\":"
                        + sh(
                                "trap 'stty size' WINCH; stty size; while :; do sleep 0.05; done",
                                ",\"terminal\":{\"rows\":30,\"columns\":100}")
                        + "}");
        assertThat(answer.status()).as(answer.text()).isEqualTo(202);
        var job = "/v1/jobs/" + jobId(answer);
        while (!server.get(job + "/output").text().contains("30 100")) {
            TimeUnit.MILLISECONDS.sleep(10);
        }

        assertThat(server.post(job + "/resize", "{\"rows\":0,\"columns\":0}").text())
                .contains("\"status\":400", "\"field\":\"rows\"");
        assertThat(server.post(job + "/resize", "{\"rows\":40,\"columns\":120}").status())
                .isEqualTo(204);
        while (!server.get(job + "/output").text().contains("40 120")) {
            TimeUnit.MILLISECONDS.sleep(10);
        }
        assertThat(server.post(job + "/stdin?at=0", "\u0003").status()).isEqualTo(200);
        assertThat(server.get(job + "?wait=10s").text()).contains("\"signal\":\"SIGINT\"");
        var plain = server.post("/v1/jobs", "{\"exec\":" + sh("sleep 60", "") + "}");
        assertThat(server.post("/v1/jobs/" + jobId(plain) + "/resize", "{\"rows\":1,\"columns\":1}")
                        .text())
                .contains("\"status\":409", "\"code\":\"no_terminal\"");
        server.post("/v1/jobs/" + jobId(plain) + "/cancel", "");
    }

    @Test
    void isCountedAmongJobs() throws IOException {
        var before = server.host
                .meters
                .get("bobbin.jobs.submitted")
                .tag("kind", "exec")
                .counter()
                .count();

        exec(sh("true", ""));

        assertThat(server.host
                        .meters
                        .get("bobbin.jobs.submitted")
                        .tag("kind", "exec")
                        .counter()
                        .count())
                .isEqualTo(before + 1);
        assertThat(server.host
                        .meters
                        .get("bobbin.start.phase")
                        .tags("path", "entered", "phase", "exec")
                        .timer()
                        .count())
                .isPositive();
    }

    static Stream<Arguments> wrongExecs() {
        return Stream.of(
                Arguments.of("{\"command\":[\"true\"]}", 400, "sandbox"),
                Arguments.of("{\"sandbox\":\"box\"}", 400, "command"),
                Arguments.of("{\"sandbox\":\"box\",\"command\":[]}", 400, "command"),
                Arguments.of("{\"sandbox\":\"box\",\"command\":[\"\"]}", 400, "command[0]"),
                Arguments.of("{\"sandbox\":\"nobody\",\"command\":[\"true\"]}", 404, "sandbox"),
                Arguments.of(
                        "{\"sandbox\":\"0198c0de-0000-7000-8000-000000000000\",\"command\":[\"true\"]}",
                        404,
                        "sandbox"),
                Arguments.of("{\"sandbox\":7,\"command\":[\"true\"]}", 400, "sandbox"),
                Arguments.of("{\"sandbox\":\"box\",\"command\":[\"true\"],\"image\":\"host\"}", 400, "image"),
                Arguments.of("{\"sandbox\":\"box\",\"command\":[\"true\"],\"secrets\":{}}", 400, "secrets"),
                Arguments.of(
                        "{\"sandbox\":\"box\",\"command\":[\"true\"],\"limits\":{\"memory\":\"8MiB\"}}",
                        400,
                        "limits.memory"),
                Arguments.of(
                        "{\"sandbox\":\"box\",\"command\":[\"true\"],\"limits\":{\"time\":0}}", 400, "limits.time"),
                Arguments.of(
                        "{\"sandbox\":\"box\",\"command\":[\"true\"],\"terminal\":{\"rows\":0}}", 400, "terminal.rows"),
                Arguments.of(
                        "{\"sandbox\":\"box\",\"command\":[\"true\"],\"terminal\":{},\"stdin\":\"x\"}", 400, "stdin"),
                Arguments.of("{\"sandbox\":\"box\",\"command\":[\"true\"],\"workdir\":\"x\"}", 400, "workdir"),
                Arguments.of("{\"sandbox\":\"box\",\"command\":[\"true\"],\"user\":\"nobody-else\"}", 400, "user"),
                Arguments.of("{\"sandbox\":\"box\",\"command\":[\"true\"],\"env\":{\"\":\"x\"}}", 400, "env"));
    }

    @ParameterizedTest
    @MethodSource
    void wrongExecs(String body, int status, String field) throws IOException {
        var answer = exec(body);
        assertThat(answer.status()).as(answer.text()).isEqualTo(status);
        assertThat(answer.headers()).containsEntry("content-type", "application/problem+json");
        assertThat(answer.text()).contains("\"field\":\"" + field + "\"", "\"detail\":\"");
    }

    @Test
    void namesTheFieldWhereverItStands() throws IOException {
        assertThat(server.post("/v1/jobs", "{}").text()).contains("\"status\":400", "\"field\":\"run\"");
        assertThat(server.post("/v1/jobs", "{\"exec\":" + sh("true", ",\"on_disconnect\":\"kill\"") + "}")
                        .text())
                .contains("\"status\":400", "\"field\":\"exec.on_disconnect\"");
        assertThat(server.post("/v1/jobs", "{\"exec\":{}}").text()).contains("\"field\":\"exec.sandbox\"");
        assertThat(server.post("/v1/jobs", "{\"exec\":{\"sandbox\":\"box\"}}").text())
                .contains("\"field\":\"exec.command\"");
        assertThat(server.post("/v1/jobs", "{\"exec\":{\"sandbox\":\"box\",\"command\":[1]}}")
                        .text())
                .contains("\"field\":\"exec.command[0]\"");
        assertThat(server.post("/v1/jobs", "{\"build\":{}}").text()).contains("\"field\":\"build.recipe\"");
        assertThat(server.post("/v1/jobs", "{\"queue\":{}}").text())
                .contains("\"status\":400", "\"field\":\"queue\"", "not offered yet");
    }
}
