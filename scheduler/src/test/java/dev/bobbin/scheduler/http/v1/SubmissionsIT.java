package dev.bobbin.scheduler.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.scheduler.http.ServedTests;
import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Runs that nobody waits for: `POST /v1/jobs {run: …}`.
@Timeout(60)
final class SubmissionsIT extends ServedTests {
    @Test
    void answersAtOnceAndGoesOn() throws IOException {
        var answer = server.post(
                "/v1/jobs",
                "{\"run\":{\"command\":[\"sh\",\"-c\",\"cat in; read line; echo $line; exit 4\"],"
                        + "\"files\":{\"in\":\"file\\n\"},\"stdin\":\"open\",\"labels\":{\"a\":\"b\"}}}");

        assertThat(answer.status()).as(answer.text()).isEqualTo(202);
        var id = answer.headers().get("bobbin-job-id");
        var job = "/v1/jobs/" + id;
        assertThat(answer.headers()).containsEntry("location", job);
        assertThat(answer.text())
                .contains(
                        "\"id\":\"" + id,
                        "\"kind\":\"run\"",
                        "\"state\":\"running\"",
                        "\"on_disconnect\":\"continue\"",
                        "\"labels\":{\"a\":\"b\"}");
        assertThat(server.post(job + "/stdin?at=0&eof", "typed\n").status()).isEqualTo(200);
        assertThat(server.get(job + "/output?follow").text()).isEqualTo("file\ntyped\n");
        assertThat(server.get(job + "?wait=10s").text()).contains("\"cause\":\"exited\",\"exit_code\":4");
    }

    @Test
    void dropsTheOldestOutputUnlessAskedOtherwise() throws IOException {
        var answer = server.post(
                "/v1/jobs",
                "{\"run\":{\"command\":[\"sh\",\"-c\",\"seq 200000; exit 3\"],\"limits\":{\"output\":\"100kB\"}}}");
        var job = "/v1/jobs/" + answer.headers().get("bobbin-job-id");
        assertThat(server.get(job + "?wait=20s").text()).contains("\"exit_code\":3");
        assertThat(server.get(job + "/output").text()).endsWith("199999\n200000\n");
    }

    static Stream<Arguments> wrongJobs() {
        return Stream.of(
                Arguments.of("{}", 400, "run"),
                Arguments.of("{\"run\":null}", 400, "run"),
                Arguments.of("{\"run\":{\"command\":[\"true\"]},\"exec\":{\"command\":[\"true\"]}}", 400, "exec"),
                Arguments.of("{\"build\":{}}", 400, "build.recipe"),
                Arguments.of("{\"build\":{\"recipe\":\"FROM x\",\"context\":\"/etc\"}}", 400, "build.context"),
                Arguments.of("{\"build\":{\"recipe\":\"FROM x\",\"limits\":{\"disk\":1}}}", 400, "build.limits.disk"),
                Arguments.of(
                        "{\"build\":{\"recipe\":\"FROM x\",\"on_disconnect\":\"kill\"}}", 400, "build.on_disconnect"),
                Arguments.of("{\"build\":{\"recipe\":\"FROM x\",\"network\":\"all\"}}", 400, "build.network"),
                Arguments.of("{\"build\":{\"recipe\":\"FLY\"},\"run\":{\"command\":[\"true\"]}}", 400, "run"),
                Arguments.of("{\"build\":{\"recipe\":\"FLY\"}}", 400, "recipe"),
                Arguments.of("{\"run\":{\"command\":[\"true\"]},\"retries\":1}", 400, "retries"),
                Arguments.of("{\"run\":{\"command\":[\"true\"]},\"nonsense\":1}", 400, "nonsense"),
                Arguments.of("{\"run\":[]}", 400, "run"),
                Arguments.of("{\"run\":{\"command\":[]}}", 400, "run.command"),
                Arguments.of("{\"run\":{\"command\":[\"\"]}}", 400, "run.command[0]"),
                Arguments.of("{\"run\":{\"nonsense\":1}}", 400, "run.nonsense"),
                Arguments.of("{\"run\":{\"command\":[\"true\"],\"workdir\":\"x\"}}", 400, "run.workdir"),
                Arguments.of("{\"run\":{\"command\":[\"true\"],\"on_disconnect\":\"kill\"}}", 400, "run.on_disconnect"),
                Arguments.of(
                        "{\"run\":{\"command\":[\"true\"],\"image\":\"none.invalid/x\",\"pull\":\"never\"}}",
                        404,
                        "image"),
                Arguments.of(
                        "{\"run\":{\"command\":[\"true\"],\"limits\":{\"memory\":\"1000TiB\"}}}",
                        422,
                        "limits.memory"));
    }

    @ParameterizedTest
    @MethodSource
    void wrongJobs(String body, int status, String field) throws IOException {
        var answer = server.post("/v1/jobs", body);
        assertThat(answer.status()).as(answer.text()).isEqualTo(status);
        assertThat(answer.headers()).containsEntry("content-type", "application/problem+json");
        assertThat(answer.text()).contains("\"field\":\"" + field + "\"", "\"detail\":\"");
    }
}
