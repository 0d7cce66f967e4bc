package dev.bobbin.scheduler.http.agentkernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.scheduler.admission.AdmissionConfig;
import dev.bobbin.scheduler.http.RawClient;
import dev.bobbin.scheduler.http.TestServer;
import dev.bobbin.scheduler.tenant.Callers;
import dev.bobbin.scheduler.tenant.Scope;
import dev.bobbin.scheduler.tenant.Tenant;
import dev.bobbin.scheduler.tenant.Token;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// Transcripts of agentkernel, with a key.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class AgentkernelIT {
    private static final String KEY = "X-API-Key: your-secret";

    private TestServer server = unset();

    @SuppressWarnings("NullAway") // set before any test
    private static TestServer unset() {
        return null;
    }

    @BeforeAll
    void open() throws IOException {
        var key = Token.of("agentkernel", "your-secret", Tenant.DEFAULT, Set.of(Scope.READ, Scope.RUN));
        server = TestServer.open(AdmissionConfig.DEFAULT, new Callers(List.of(key)));
    }

    @AfterAll
    void close() throws IOException {
        server.close();
    }

    private RawClient.Answer run(String body) throws IOException {
        return server.post("/run", body, KEY, "Content-Type: application/json");
    }

    private static void assertAnswer(RawClient.Answer answer, int status, String body) {
        assertThat(answer.text()).isEqualTo(body);
        assertThat(answer.status()).isEqualTo(status);
        assertThat(answer.headers()).containsEntry("content-type", "application/json");
    }

    @Test
    void isHealthyWithoutAKeyAndWithAWrongOne() throws IOException {
        var body = "{\"success\":true,\"data\":\"ok\",\"status\":\"ok\"}";
        assertAnswer(server.get("/health"), 200, body);
        assertAnswer(server.get("/health/"), 200, body);
        assertAnswer(server.get("/health", "X-API-Key: wrong"), 200, body);
    }

    @Test
    void runsACommand() throws IOException {
        assertAnswer(
                run("{\"command\": [\"echo\", \"hi\"]}"), 200, "{\"success\":true,\"data\":{\"output\":\"hi\\n\"}}");
        assertAnswer(
                run(
                        "{\"command\":[\"printf\",\"%s|\",\"a b\",\"$HOME\",\"'x'\",\";id\"],\"image\":null,\"profile\":null,"
                                + "\"fast\":true,\"unknown\":[{}]}"),
                200,
                "{\"success\":true,\"data\":{\"output\":\"a b|$HOME|'x'|;id|\"}}");
        assertAnswer(
                run("{\"command\":[\"sh\",\"-c\",\"printf out; printf err >&2\"],\"profile\":\"restrictive\"}"),
                200,
                "{\"success\":true,\"data\":{\"output\":\"out\\nerr\"}}");
    }

    @Test
    void tellsAFailedCommandByItsCode() throws IOException {
        assertAnswer(
                run("{\"command\":[\"sh\",\"-c\",\"echo no; exit 3\"]}"),
                409,
                "{\"success\":false,\"error\":\"Command exited with code 3: no\\n\",\"exit_code\":3,\"output\":\"no\\n\"}");
    }

    @Test
    void refusesInItsOwnWords() throws IOException {
        assertAnswer(run("{\"command\":[]}"), 400, "{\"success\":false,\"error\":\"command is required\"}");
        assertAnswer(run("{}"), 400, "{\"success\":false,\"error\":\"command is required\"}");
        assertThat(run("{\"command\":").text()).startsWith("{\"success\":false,\"error\":\"Invalid JSON: ");
        assertThat(run("{\"command\":[\"true\"],\"image\":\"a b\"}").text())
                .contains("Docker image name contains invalid character ' '");
        var unreachable = run("{\"command\":[\"true\"],\"image\":\"127.0.0.1:1/no-such\"}");
        assertThat(unreachable.status()).isEqualTo(500);
        assertThat(unreachable.text()).contains("the registry 127.0.0.1:1 does not answer");
        assertAnswer(server.get("/run", KEY), 404, "{\"success\":false,\"error\":\"Not found\"}");
        assertAnswer(
                server.post("/run", " ".repeat(17 * 1024 * 1024), KEY),
                413,
                "{\"success\":false,\"error\":\"Request body exceeds the maximum size of 16777216 bytes\"}");
    }

    @Test
    void wantsTheKeyInEitherHeader() throws IOException {
        var body = "{\"command\":[\"true\"]}";
        assertAnswer(server.post("/run", body), 401, "{\"success\":false,\"error\":\"Missing Authorization header\"}");
        assertAnswer(
                server.post("/run", body, "Authorization: Basic x"),
                401,
                "{\"success\":false,\"error\":\"Invalid authorization format. Use: Bearer <api_key>\"}");
        assertAnswer(
                server.post("/run", body, "X-API-Key: wrong"),
                401,
                "{\"success\":false,\"error\":\"Invalid API key\"}");
        assertThat(server.post("/run", body, "Authorization: Bearer your-secret")
                        .status())
                .isEqualTo(200);
        assertThat(server.post("/v1/run", body).headers()).containsEntry("content-type", "application/problem+json");
        assertThat(server.post("/v1/run", body, KEY).status()).isEqualTo(200);
    }
}
