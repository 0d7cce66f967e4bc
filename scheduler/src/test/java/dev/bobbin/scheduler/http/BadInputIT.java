package dev.bobbin.scheduler.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// What is refused before anything starts, and in which words. The host fails the class if anything is left.
final class BadInputIT extends ServedTests {
    @AfterAll
    void close() {
        assertThat(server.host.meters.get("bobbin.jobs.ended").counters())
                .allSatisfy(counter -> assertThat(counter.count()).isZero());
    }

    static Stream<Arguments> wrongRuns() {
        var many = "\"x\"" + ",\"x\"".repeat(9_999);
        return Stream.of(
                Arguments.of("{\"comand\":[\"true\"]}", 400, "comand"),
                Arguments.of("{\"command\":\"true\"}", 400, "command"),
                Arguments.of("{\"command\":[1]}", 400, "command[0]"),
                Arguments.of("{\"command\":[\"true\",null]}", 400, "command[1]"),
                Arguments.of("{\"command\":[]}", 400, "command"),
                Arguments.of("{\"command\":[\"\"]}", 400, "command[0]"),
                Arguments.of("{}", 400, "command"),
                Arguments.of("{\"command\":[\"true\"],\"command\":[\"true\"]}", 400, "command"),
                Arguments.of("{\"command\":[\"a\\u0000b\"]}", 400, "command[0]"),
                Arguments.of("{\"command\":[\"\\ud800\"]}", 400, "command[0]"),
                Arguments.of("{\"command\":[" + many + "]}", 400, "command"),
                Arguments.of("{\"command\":[\"echo\",\"" + "x".repeat(2 * 1024 * 1024) + "\"]}", 400, "command[1]"),
                Arguments.of("{\"command\":[\"/proc/self/exe\"]}", 400, "command[0]"),
                Arguments.of("{\"command\":[\"/proc/self/fd/3\"]}", 400, "command[0]"),
                Arguments.of("{\"command\":[\"true\"],\"workdir\":\"/proc/self/fd/3\"}", 400, "workdir"),
                Arguments.of("{\"command\":[\"true\"],\"workdir\":\"a\"}", 400, "workdir"),
                Arguments.of("{\"command\":[\"true\"],\"env\":{\"A=B\":\"x\"}}", 400, "env"),
                Arguments.of("{\"command\":[\"true\"],\"env\":{\"A\":1}}", 400, "env.A"),
                Arguments.of("{\"command\":[\"true\"],\"files\":{\"/etc/passwd\":\"x\"}}", 400, "files"),
                Arguments.of("{\"command\":[\"true\"],\"files\":{\"a/../b\":\"x\"}}", 400, "files"),
                Arguments.of("{\"command\":[\"true\"],\"files\":{\"a\":{\"base64\":\"?\"}}}", 400, "files.a.base64"),
                Arguments.of(
                        "{\"command\":[\"true\"],\"files\":{\"a\":{\"text\":\"\",\"mode\":755}}}", 400, "files.a.mode"),
                Arguments.of("{\"command\":[\"true\"],\"limits\":{\"memory\":\"1MiB\"}}", 400, "limits.memory"),
                Arguments.of("{\"command\":[\"true\"],\"limits\":{\"memory\":\"much\"}}", 400, "limits.memory"),
                Arguments.of("{\"command\":[\"true\"],\"limits\":{\"cpus\":-1}}", 400, "limits.cpus"),
                Arguments.of("{\"command\":[\"true\"],\"limits\":{\"pids\":1.5}}", 400, "limits.pids"),
                Arguments.of("{\"command\":[\"true\"],\"limits\":{\"time\":0}}", 400, "limits.time"),
                Arguments.of("{\"command\":[\"true\"],\"limits\":{\"speed\":1}}", 400, "limits.speed"),
                Arguments.of("{\"command\":[\"true\"],\"limits\":{\"memory\":\"4096TiB\"}}", 422, "limits.memory"),
                Arguments.of("{\"command\":[\"true\"],\"limits\":{\"cpus\":4096}}", 422, "limits.cpus"),
                Arguments.of("{\"command\":[\"true\"],\"image\":\"no/such:image\",\"pull\":\"never\"}", 404, "image"),
                Arguments.of("{\"command\":[\"true\"],\"image\":\"NOT AN IMAGE\"}", 400, "image"),
                Arguments.of("{\"command\":[\"true\"],\"user\":\"nobody-has-this-name\"}", 400, "user"),
                networked("\"network\":\"bridged\"", 400, "network"),
                networked("\"network\":7", 400, "network"),
                networked("\"network\":\"host\"", 403, "network"),
                networked("\"network\":{\"mode\":\"vpn\"}", 400, "network.mode"),
                networked("\"network\":{\"mode\":\"none\",\"project\":\"a\"}", 400, "network"),
                networked("\"network\":{\"colour\":1}", 400, "network.colour"),
                networked("\"network\":{\"project\":\"a b\"}", 400, "network.project"),
                networked("\"network\":{\"aliases\":[\"a\"]}", 400, "network.aliases"),
                networked("\"network\":{\"project\":\"a\",\"aliases\":[\"b\",\"-\"]}", 400, "network.aliases[1]"),
                networked("\"network\":{\"egress\":\"all\"}", 400, "network.egress"),
                networked("\"network\":{\"egress\":{\"internet\":\"no\"}}", 400, "network.egress.internet"),
                networked("\"network\":{\"egress\":{\"allow\":[\"1.2.3.4/8\"]}}", 400, "network.egress.allow[0]"),
                networked("\"network\":{\"egress\":{\"allow\":[\"::/0\"]}}", 400, "network.egress.allow[0]"),
                networked("\"network\":{\"egress\":{\"names\":[\"a.b\",\"*\"]}}", 400, "network.egress.names[1]"),
                networked("\"ports\":[{\"port\":80}]", 400, "ports"),
                networked("\"network\":\"bridge\",\"ports\":{}", 400, "ports"),
                networked("\"network\":\"bridge\",\"ports\":[{}]", 400, "ports[0]"),
                networked("\"network\":\"bridge\",\"ports\":[{\"port\":0}]", 400, "ports[0].port"),
                networked("\"network\":\"bridge\",\"ports\":[{\"port\":65536}]", 400, "ports[0].port"),
                networked("\"network\":\"bridge\",\"ports\":[{\"port\":1.5}]", 400, "ports[0].port"),
                networked(
                        "\"network\":\"bridge\",\"ports\":[{\"port\":1,\"host_port\":-1}]", 400, "ports[0].host_port"),
                networked(
                        "\"network\":\"bridge\",\"ports\":[{\"port\":1,\"host_address\":\"::\"}]",
                        400,
                        "ports[0].host_address"),
                networked(
                        "\"network\":\"bridge\",\"ports\":[{\"port\":1,\"protocol\":\"sctp\"}]",
                        400,
                        "ports[0].protocol"),
                networked(
                        "\"network\":\"bridge\",\"ports\":[{\"port\":1,\"host_port\":8},{\"port\":2,\"host_port\":8}]",
                        400,
                        "ports[1].host_port"),
                Arguments.of("{\"command\":[\"true\"],\"output_policy\":\"spill\"}", 400, "output_policy"),
                Arguments.of("{\"command\":[\"true\"],\"on_disconnect\":\"wait\"}", 400, "on_disconnect"),
                Arguments.of("{\"command\":[\"true\"],\"secrets\":{\"a\":\"b\"}}", 400, "secrets"),
                Arguments.of("{\"command\":[\"true\"],\"mounts\":{}}", 400, "mounts"),
                networked("\"allow_new_privileges\":\"yes\"", 400, "allow_new_privileges"),
                networked("\"allow_new_privileges\":true", 403, "allow_new_privileges"),
                networked("\"capabilities\":[]", 400, "capabilities"),
                networked("\"capabilities\":{\"drop\":[]}", 400, "capabilities.drop"),
                networked("\"capabilities\":{\"add\":[\"KILL\",\"ALL\"]}", 400, "capabilities.add[1]"),
                networked("\"capabilities\":{\"add\":[\"CAP_SYS_ADMIN\"]}", 400, "capabilities.add[0]"),
                networked("\"capabilities\":{\"add\":[\"cap_sys_ptrace\"]}", 403, "capabilities.add"),
                networked("\"sysctls\":[]", 400, "sysctls"),
                networked("\"sysctls\":{\"net.core.somaxconn\":1}", 400, "sysctls.net.core.somaxconn"),
                networked("\"sysctls\":{\"net.core.somaxconn\":\"\"}", 400, "sysctls.net.core.somaxconn"),
                networked("\"sysctls\":{\"kernel.panic\":\"1\"}", 400, "sysctls.kernel.panic"),
                networked("\"sysctls\":{\"net/core/somaxconn\":\"1\"}", 400, "sysctls"),
                networked(
                        "\"network\":\"host\",\"sysctls\":{\"net.core.somaxconn\":\"1\"}",
                        400,
                        "sysctls.net.core.somaxconn"),
                Arguments.of("{\"command\":[\"true\"],\"pull\":\"sometimes\"}", 400, "pull"),
                Arguments.of("{\"command\":[\"true\"],\"labels\":{\"\":\"b\"}}", 400, "labels"),
                Arguments.of("{\"command\":[\"true\"]", 400, ""),
                Arguments.of("{\"command\":[\"true\"]} {}", 400, ""),
                Arguments.of("[]", 400, ""),
                Arguments.of("", 400, ""),
                Arguments.of("null", 400, ""),
                Arguments.of("{\"command\":[\"true\"],\"env\":" + "{\"a\":".repeat(100) + "1", 400, "env.a"),
                Arguments.of("{\"x\":" + "[".repeat(5_000), 400, "x"));
    }

    private static Arguments networked(String fields, int status, String field) {
        return Arguments.of("{\"command\":[\"true\"]," + fields + "}", status, field);
    }

    @ParameterizedTest
    @MethodSource
    void wrongRuns(String body, int status, String field) throws IOException {
        var answer = server.post("/v1/run", body);
        assertThat(answer.status()).as(answer.text()).isEqualTo(status);
        assertThat(answer.headers())
                .containsEntry("content-type", "application/problem+json")
                .containsEntry("x-content-type-options", "nosniff");
        assertThat(answer.text())
                .contains("\"status\":" + status, "\"code\":\"")
                .doesNotContain("jackson", "Exception");
        if (field.isEmpty()) {
            assertThat(answer.text()).doesNotContain("\"field\"");
        } else {
            assertThat(answer.text()).contains("\"field\":\"" + field + "\"");
        }
    }

    @Test
    void refusesABodyThatIsTooLargeWithoutAReset() throws IOException {
        assertThat(server.post("/v1/run", " ".repeat(5 * 1024 * 1024)).status()).isEqualTo(413);
    }

    @Test
    void refusesAChunkedBodyThatIsTooLargeWithoutAReset() throws IOException {
        try (var client = server.client()) {
            var body = new StringBuilder();
            var chunk = "10000\r\n" + " ".repeat(65_536) + "\r\n";
            body.append(chunk.repeat(80)).append("0\r\n\r\n");
            var answer =
                    client.exchange(TestServer.head("POST", "/v1/run", "Transfer-Encoding: chunked") + "\r\n" + body);
            assertThat(answer.status()).isEqualTo(413);
            assertThat(answer.text()).contains("\"code\":\"too_large\"");
        }
    }

    @Test
    void refusesMalformedChunks() throws IOException {
        try (var client = server.client()) {
            var answer =
                    client.exchange(TestServer.head("POST", "/v1/run", "Transfer-Encoding: chunked") + "\r\nZZ\r\nx");
            assertThat(answer.status()).isEqualTo(400);
            assertThat(answer.text()).contains("\"code\":\"invalid\"");
        }
    }

    @Test
    void closesAConnectionWhenTheClientAskedForIt() throws IOException {
        for (var path : new String[] {"/health", "/nothing", "/v1/jobs/x"}) {
            try (var client = server.client()) {
                client.exchange(TestServer.head("GET", path, "Connection: close") + "\r\n");
                assertThat(client.isClosedByServer()).isTrue();
            }
        }
    }

    @Test
    void refusesAnAcceptThatNothingSatisfies() throws IOException {
        var answer = server.post("/v1/run", "{\"command\":[\"true\"]}", "Accept: image/png");
        assertThat(answer.status()).isEqualTo(406);
        assertThat(answer.text()).contains("\"code\":\"not_acceptable\"");
    }

    @Test
    void refusesForeignHostsAndOrigins() throws IOException {
        assertThat(server.get("/v1/jobs/x", "Host: evil.example").status()).isEqualTo(421);
        assertThat(server.get("/health", "Host: evil.example").status()).isEqualTo(421);
        assertThat(server.get("/health", "Host: 127.0.0.1:1").status()).isEqualTo(200);
        assertThat(server.get("/health", "Host: [::1]:1").status()).isEqualTo(200);
        assertThat(server.post("/v1/run", "{\"command\":[\"true\"]}", "Origin: https://evil.example")
                        .status())
                .isEqualTo(403);
        assertThat(server.get("/health", "Host: localhost:80", "Origin: http://localhost:80")
                        .status())
                .isEqualTo(200);
        assertThat(server.get("/health", "Origin: null").status()).isEqualTo(403);
    }

    @Test
    void answersUnownedPathsWithProblems() throws IOException {
        var nothing = server.get("/nothing");
        assertThat(nothing.status()).isEqualTo(404);
        assertThat(nothing.headers())
                .containsEntry("content-type", "application/problem+json")
                .containsEntry("x-content-type-options", "nosniff");
        assertThat(server.get("/v1/run").status()).isEqualTo(405);
        assertThat(server.get("/v1/run").headers()).containsEntry("allow", "POST");
        assertThat(server.get("/v1/nothing").status()).isEqualTo(404);
    }

    @Test
    void answersWhatIsNotHttpWithAProblem() throws IOException {
        try (var client = server.client()) {
            var answer = client.exchange("GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n");
            assertThat(answer.status()).isEqualTo(400);
            assertThat(answer.headers()).containsEntry("content-type", "application/problem+json");
            assertThat(new String(answer.body(), StandardCharsets.UTF_8)).contains("\"code\":\"invalid\"");
        }
    }
}
