package dev.bobbin.scheduler.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.scheduler.http.RawClient;
import dev.bobbin.scheduler.http.ServedTests;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// `/v1/volumes`, and mounts in runs and sandboxes, against a real host.
@Timeout(60)
final class VolumesIT extends ServedTests {
    private RawClient.Answer run(String mounts, String script) throws IOException {
        return server.post("/v1/run", "{\"command\":[\"sh\",\"-c\",\"%s\"],\"mounts\":%s}".formatted(script, mounts));
    }

    private static String volume(String name, String target) {
        return "[{\"type\":\"volume\",\"source\":\"%s\",\"target\":\"%s\"}]".formatted(name, target);
    }

    @Test
    void sharesAVolumeBetweenARunAndASandboxThatLasts() throws IOException {
        var written = run(volume("shared", "/data"), "echo from run > /data/file");
        assertThat(written.text()).contains("\"exit_code\":0");
        var made = server.post("/v1/sandboxes", "{\"name\":\"reader\",\"mounts\":" + volume("shared", "/in") + "}");
        assertThat(made.status()).as(made.text()).isEqualTo(201);
        assertThat(made.text())
                .contains(
                        "\"mounts\":[{\"type\":\"volume\",\"source\":\"shared\",\"target\":\"/in\",\"read_only\":false}]");
        var read = server.post("/v1/exec", "{\"sandbox\":\"reader\",\"command\":[\"cat\",\"/in/file\"]}");
        assertThat(read.text()).contains("\"stdout\":\"from run\\n\"");
        assertThat(server.get("/v1/sandboxes/reader/files/in/file").text()).isEqualTo("from run\n");

        var inUse = server.delete("/v1/volumes/shared");
        assertThat(inUse.status()).isEqualTo(409);
        assertThat(inUse.text()).contains("\"code\":\"volume_in_use\"", "\"field\":\"volume\"");
        assertThat(server.get("/v1/volumes/shared").text())
                .containsPattern("\"used_by\":\\[\"sandbox [0-9a-f-]{36}\"]");
        assertThat(server.delete("/v1/sandboxes/reader").status()).isEqualTo(204);
        assertThat(server.delete("/v1/volumes/shared").status()).isEqualTo(204);
        assertThat(server.get("/v1/volumes/shared").status()).isEqualTo(404);
    }

    /// Which of the two depends on the file system of the test's directory.
    @Test
    void eitherKeepsASizeOrRefusesIt() throws IOException {
        var made = server.post("/v1/volumes", "{\"name\":\"sized\",\"size\":\"8MiB\"}");
        if (made.status() == 422) {
            assertThat(made.text()).contains("\"code\":\"never_fits\"", "\"field\":\"size\"", "prjquota");
            assertThat(server.get("/v1/volumes/sized").status()).isEqualTo(404);
        } else {
            assertThat(made.status()).as(made.text()).isEqualTo(201);
            assertThat(made.text())
                    .contains("\"size\":8388608", "\"used_bytes\":")
                    .doesNotContain("unenforced");
        }
        for (var size : List.of("0", "\"4kB\"", "-1", "\"much\"")) {
            var refused = server.post("/v1/volumes", "{\"name\":\"small\",\"size\":" + size + "}");
            assertThat(refused.status()).as(size).isEqualTo(400);
            assertThat(refused.text()).contains("\"field\":\"size\"");
        }
    }

    @Test
    void makesListsAndPrunesVolumes() throws IOException {
        var made = server.post("/v1/volumes", "{\"name\":\"one\",\"labels\":{\"team\":\"blue\"}}");
        assertThat(made.status()).as(made.text()).isEqualTo(201);
        assertThat(made.headers()).containsEntry("location", "/v1/volumes/one");
        assertThat(made.text()).contains("\"name\":\"one\"", "\"labels\":{\"team\":\"blue\"}", "\"used_by\":[]");
        assertThat(server.post("/v1/volumes", "{\"name\":\"two\"}").status()).isEqualTo(201);
        var again = server.post("/v1/volumes", "{\"name\":\"one\"}");
        assertThat(again.status()).isEqualTo(409);
        assertThat(again.text()).contains("\"code\":\"name_taken\"");

        assertThat(server.get("/v1/volumes?label=team%3Dblue").text())
                .contains("\"name\":\"one\"", "\"next_cursor\":null")
                .doesNotContain("\"name\":\"two\"");
        var first = server.get("/v1/volumes?limit=1").text();
        assertThat(first).contains("\"name\":\"one\"").doesNotContain("\"name\":\"two\"");
        var cursor = first.replaceAll("(?s).*\"next_cursor\":\"([^\"]+)\".*", "$1");
        assertThat(server.get("/v1/volumes?cursor=" + cursor).text())
                .contains("\"name\":\"two\"")
                .doesNotContain("\"name\":\"one\"");
        assertThat(server.get("/v1/volumes/" + cursor).text()).contains("\"name\":\"one\"");

        assertThat(server.post("/v1/volumes/prune", "").text()).contains("\"one\"", "\"two\"");
        assertThat(server.get("/v1/volumes").text()).isEqualTo("{\"items\":[],\"next_cursor\":null}");
    }

    static Stream<Arguments> badMounts() {
        return Stream.of(
                Arguments.of("{}", "mounts", "array"),
                Arguments.of("[1]", "mounts[0]", "object"),
                Arguments.of("[{\"target\":\"/a\"}]", "mounts[0]", "type"),
                Arguments.of("[{\"type\":\"nfs\",\"target\":\"/a\"}]", "mounts[0]", "tmpfs"),
                Arguments.of("[{\"type\":\"volume\",\"source\":\"v\"}]", "mounts[0]", "target"),
                Arguments.of("[{\"type\":\"volume\",\"target\":\"/a\"}]", "mounts[0]", "source"),
                Arguments.of(
                        "[{\"type\":\"volume\",\"source\":\"v\",\"target\":\"/a\",\"x\":1}]", "mounts[0].x", "no such"),
                Arguments.of("[{\"type\":\"tmpfs\",\"target\":\"/a\",\"size\":1}]", "mounts[0].size", "4096"),
                Arguments.of("[{\"type\":\"tmpfs\",\"target\":\"/a\",\"source\":\"v\"}]", "mounts[0]", "empty"),
                Arguments.of(volume("-v", "/a"), "mounts[0].source", "letter"),
                Arguments.of(volume("../v", "/a"), "mounts[0].source", "letter"),
                Arguments.of(volume("v", "a"), "mounts[0].target", "absolute"),
                Arguments.of(volume("v", "/"), "mounts[0].target", "root"),
                Arguments.of(volume("v", "/./"), "mounts[0].target", "root"),
                Arguments.of(volume("v", "/a/../b"), "mounts[0].target", ".."),
                Arguments.of(volume("v", "/proc"), "mounts[0].target", "/proc"),
                Arguments.of(volume("v", "//dev/./shm"), "mounts[0].target", "/dev"),
                Arguments.of(volume("v", "/sys/fs"), "mounts[0].target", "/sys"),
                Arguments.of(volume("v", "/a\\u0000b"), "mounts[0].target", "NUL"),
                Arguments.of(
                        "[{\"type\":\"tmpfs\",\"target\":\"/a/\"},{\"type\":\"tmpfs\",\"target\":\"//a/.\"}]",
                        "mounts[1].target",
                        "same"),
                Arguments.of(
                        "[" + "{\"type\":\"tmpfs\",\"target\":\"/a\"},".repeat(32) + "{}]", "mounts", "at most 32"));
    }

    @ParameterizedTest
    @MethodSource("badMounts")
    void refusesMountsThatCannotBe(String mounts, String field, String says) throws IOException {
        for (var path : List.of("/v1/run", "/v1/sandboxes")) {
            var answer = server.post(path, "{\"command\":[\"true\"],\"mounts\":" + mounts + "}");
            assertThat(answer.status()).as(answer.text()).isEqualTo(400);
            assertThat(answer.text()).contains("\"field\":\"" + field + "\"", says);
        }
        assertThat(server.get("/v1/volumes").text()).doesNotContain("\"name\":\"v\"");
    }

    @Test
    void mountsNothingOfTheMachineUnlessThatIsAllowed() throws IOException {
        var bind = "[{\"type\":\"bind\",\"source\":\"/etc\",\"target\":\"/x\",\"read_only\":true}]";
        var refused = run(bind, "cat /x/shadow");
        assertThat(refused.status()).isEqualTo(403);
        assertThat(refused.text()).contains("\"code\":\"forbidden\"", "\"field\":\"mounts[0]\"", "administrators");
    }
}
