package dev.bobbin.scheduler.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.JobId;
import dev.bobbin.scheduler.http.RawClient;
import dev.bobbin.scheduler.http.ServedTests;
import dev.bobbin.scheduler.http.TestServer;
import dev.bobbin.scheduler.tenant.Caller;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Requests that are sent again with the same `Idempotency-Key`.
@Timeout(60)
final class IdempotencyIT extends ServedTests {
    /// Prints something else each time it runs.
    private static final String ONCE = "{\"command\":[\"cat\",\"/proc/sys/kernel/random/uuid\"]}";

    private static String key(String word) {
        return "Idempotency-Key: " + word;
    }

    private static String jobId(RawClient.Answer answer) {
        assertThat(answer.status()).as(answer.text()).isBetween(200, 299);
        return String.valueOf(answer.headers().get("bobbin-job-id"));
    }

    private double submitted(String kind) {
        return server.host
                .meters
                .get("bobbin.jobs.submitted")
                .tag("kind", kind)
                .counter()
                .count();
    }

    /// A run that goes on until it is killed, and the form in which it is answered.
    private static String endless(String onDisconnect, String number) {
        return "{\"command\":[\"sh\",\"-c\",\"echo begun; sleep %s\"],\"on_disconnect\":\"%s\"}"
                .formatted(number, onDisconnect);
    }

    @Test
    void replaysARunInAllForms() throws IOException {
        var before = submitted("run");
        var first = server.post("/v1/run", ONCE, key("forms"));
        var uuid = first.text().replaceAll("(?s).*\"stdout\":\"([0-9a-f-]{36}).*", "$1");
        assertThat(uuid).hasSize(36);

        assertThat(server.post("/v1/run", ONCE, key("forms")).text()).isEqualTo(first.text());
        for (var form : List.of("text/plain", "application/x-ndjson", "text/event-stream")) {
            var again = server.post("/v1/run", ONCE, key("forms"), "Accept: " + form);
            assertThat(jobId(again)).isEqualTo(jobId(first));
            assertThat(again.headers())
                    .containsEntry("location", "/v1/jobs/" + jobId(first))
                    .hasEntrySatisfying("content-type", type -> assertThat(type).startsWith(form));
            assertThat(again.text()).contains(uuid);
        }
        assertThat(submitted("run")).isEqualTo(before + 1);
        assertThat(jobId(server.post("/v1/run", ONCE, key("another")))).isNotEqualTo(jobId(first));
        assertThat(jobId(server.post("/v1/run", ONCE))).isNotEqualTo(jobId(first));
    }

    @Test
    void attachesToAJobThatRuns() throws IOException {
        var body = endless("continue", "62");
        try (var one = server.client();
                var two = server.client()) {
            one.send(TestServer.request("/v1/run", body, key("runs"), "Accept: text/plain"));
            one.line();
            var id = one.headers().get("bobbin-job-id");
            assertThat(new String(one.chunk(), StandardCharsets.UTF_8)).isEqualTo("begun\n");

            two.send(TestServer.request("/v1/run", body, key("runs"), "Accept: text/plain"));
            two.line();
            assertThat(two.headers()).containsEntry("bobbin-job-id", id);
            assertThat(new String(two.chunk(), StandardCharsets.UTF_8)).isEqualTo("begun\n");

            server.post("/v1/jobs/" + id + "/cancel", "");
            assertThat(one.chunk()).isEmpty();
            assertThat(two.chunk()).isEmpty();
            assertThat(two.headers()).containsEntry("bobbin-outcome", "cancelled");
        }
    }

    @Test
    void startsOneJobOfManyRequestsAtOnce() throws Exception {
        var before = submitted("run");
        var ids = new HashSet<String>();
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            var answers = new ArrayList<Future<RawClient.Answer>>();
            for (var request = 0; request < 24; request++) {
                Callable<RawClient.Answer> post = () -> server.post("/v1/run", ONCE, key("at once"));
                answers.add(tasks.submit(post));
            }
            for (var answer : answers) {
                ids.add(jobId(answer.get()));
            }
        }
        assertThat(ids).hasSize(1);
        assertThat(submitted("run")).isEqualTo(before + 1);
    }

    @Test
    void endsAJobWhenTheLastOfItsCallersLeaves() throws Exception {
        var body = endless("kill", "63");
        JobId id;
        try (var one = server.client()) {
            one.send(TestServer.request("/v1/run", body, key("callers"), "Accept: text/plain"));
            one.line();
            id = JobId.parse(String.valueOf(one.headers().get("bobbin-job-id"))).orElseThrow();
            try (var two = server.client()) {
                two.send(TestServer.request("/v1/run", body, key("callers"), "Accept: text/plain"));
                two.line();
                two.headers();
                two.chunk();
            }
            TimeUnit.MILLISECONDS.sleep(1000);
            assertThat(server.get("/v1/jobs/" + id).text()).contains("\"state\":\"running\"");
        }
        assertThat(server.get("/v1/jobs/" + id + "?wait=10s").text())
                .contains("\"cause\":\"cancelled\"", "\"by\":\"client\"");
    }

    @Test
    void refusesTheKeyOfAnotherRequest() throws IOException {
        server.post("/v1/run", ONCE, key("other"));
        for (var answer : List.of(
                server.post("/v1/run", ONCE + " ", key("other")),
                server.post("/v1/jobs", "{\"run\":" + ONCE + "}", key("other")),
                server.post("/v1/sandboxes", "{}", key("other")))) {
            assertThat(answer.status()).isEqualTo(422);
            assertThat(answer.headers()).containsEntry("content-type", "application/problem+json");
            assertThat(answer.text()).contains("\"code\":\"idempotency_key_reused\"", "\"field\":\"Idempotency-Key\"");
        }
    }

    static Stream<String> wrongKeys() {
        return Stream.of(
                "Idempotency-Key:",
                key("x".repeat(256)),
                key("schlüssel"),
                key("a\tb"),
                key("one") + "\r\n" + key("two"));
    }

    @ParameterizedTest
    @MethodSource
    void wrongKeys(String header) throws IOException {
        var before = submitted("run");
        for (var path : List.of("/v1/run", "/v1/jobs", "/v1/sandboxes")) {
            var body = path.endsWith("run") ? ONCE : path.endsWith("jobs") ? "{\"run\":" + ONCE + "}" : "{}";
            var answer = server.post(path, body, header);
            assertThat(answer.status()).as(answer.text()).isEqualTo(400);
            assertThat(answer.text()).contains("\"field\":\"Idempotency-Key\"");
        }
        assertThat(submitted("run")).isEqualTo(before);
        assertThat(server.get("/v1/sandboxes").text()).contains("\"items\":[]");
    }

    @Test
    void takesTheLongestKey() throws IOException {
        var longest = key("~ " + "x".repeat(253));
        assertThat(jobId(server.post("/v1/run", ONCE, longest)))
                .isEqualTo(jobId(server.post("/v1/run", ONCE, longest)));
    }

    @Test
    void leavesTheKeyOfARefusedRequestUnused() throws IOException {
        var made = server.post("/v1/sandboxes", "{\"name\":\"still\"}", key("still"));
        assertThat(made.status()).isEqualTo(201);
        assertThat(server.post("/v1/sandboxes/still/stop", "{\"grace\":0}").status())
                .isEqualTo(200);
        var exec = "{\"sandbox\":\"still\",\"command\":[\"true\"]}";
        assertThat(server.post("/v1/exec", exec, key("later")).status()).isEqualTo(409);
        assertThat(server.post("/v1/sandboxes", "{\"name\":\"still\",\"ttl\":\"1h\"}", key("taken"))
                        .status())
                .isEqualTo(409);
        server.post("/v1/sandboxes/still/start", "");

        var ran = server.post("/v1/exec", exec, key("later"));
        assertThat(ran.status()).as(ran.text()).isEqualTo(200);
        assertThat(jobId(server.post("/v1/exec", exec, key("later")))).isEqualTo(jobId(ran));
        server.delete("/v1/sandboxes/still");
        assertThat(server.post("/v1/exec", exec, key("later")).text()).contains("\"status\":410", "\"code\":\"gone\"");
        made = server.post("/v1/sandboxes", "{\"name\":\"still\",\"ttl\":\"1h\"}", key("taken"));
        assertThat(made.status()).isEqualTo(201);
        server.delete("/v1/sandboxes/still");
    }

    @Test
    void answersTheSameSandbox() throws Exception {
        var body = "{\"labels\":{\"a\":\"b\"}}";
        var places = new HashSet<String>();
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            var answers = new ArrayList<Future<RawClient.Answer>>();
            for (var request = 0; request < 8; request++) {
                Callable<RawClient.Answer> post = () -> server.post("/v1/sandboxes", body, key("sandbox"));
                answers.add(tasks.submit(post));
            }
            for (var answer : answers) {
                assertThat(answer.get().status()).isEqualTo(201);
                places.add(String.valueOf(answer.get().headers().get("location")));
            }
        }
        assertThat(places).hasSize(1);
        var place = places.iterator().next();
        assertThat(server.post("/v1/sandboxes", "{\"labels\":{}}", key("sandbox"))
                        .text())
                .contains("idempotency_key_reused");

        assertThat(server.delete(place).status()).isEqualTo(204);

        var after = server.post("/v1/sandboxes", body, key("sandbox"));
        assertThat(after.text()).contains("\"status\":410", "\"code\":\"gone\"", "\"field\":\"Idempotency-Key\"");
        assertThat(server.get("/v1/sandboxes").text()).doesNotContain(place.substring("/v1/sandboxes/".length()));
    }

    @Test
    void answersTheSameDetachedJob() throws Exception {
        var body = "{\"run\":" + ONCE + "}";
        var first = server.post("/v1/jobs", body, key("detached"));
        assertThat(first.status()).isEqualTo(202);
        var id = JobId.parse(jobId(first)).orElseThrow();
        server.dispatcher.find(id, Caller.ANYBODY).orElseThrow().await();

        var again = server.post("/v1/jobs", body, key("detached"));

        assertThat(again.status()).isEqualTo(202);
        assertThat(jobId(again)).isEqualTo(id.toString());
        assertThat(again.text()).contains("\"state\":\"ended\"");
    }
}
