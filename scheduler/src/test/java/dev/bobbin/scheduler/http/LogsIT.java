package dev.bobbin.scheduler.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.scheduler.admission.AdmissionConfig;
import dev.bobbin.scheduler.tenant.Callers;
import dev.bobbin.scheduler.tenant.Scope;
import dev.bobbin.scheduler.tenant.Tenant;
import dev.bobbin.scheduler.tenant.Token;
import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a server says of the requests that it gets.
@Timeout(60)
final class LogsIT {
    private static final String SECRET = "a-secret-that-nobody-may-read-6f1c";
    private static final String WRONG = "another-secret-that-was-mistyped-93ab";

    private final Queue<String> said = new ConcurrentLinkedQueue<>();
    private final Handler listener = new Handler() {
        @Override
        public void publish(LogRecord told) {
            said.add(new SimpleFormatter().format(told));
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    @Test
    void holdNoToken() throws Exception {
        var root = Logger.getLogger("");
        root.addHandler(listener);
        var token = Token.of("test", SECRET, Tenant.DEFAULT, EnumSet.of(Scope.READ, Scope.RUN));
        try (var server = TestServer.open(AdmissionConfig.DEFAULT, new Callers(List.of(token)))) {
            assertThat(said).as("something is heard").isNotEmpty();
            assertThat(server.get("/v1/sandboxes", "Authorization: Bearer " + SECRET)
                            .status())
                    .isEqualTo(200);
            assertThat(server.get("/v1/sandboxes?token=" + SECRET, "X-API-Key: " + WRONG)
                            .status())
                    .isEqualTo(401);
            assertThat(server.get("/v1/nothing?token=" + WRONG, "X-API-Key: " + SECRET)
                            .status())
                    .isEqualTo(404);
            assertThat(server.post(
                                    "/v1/run",
                                    "{\"command\":[\"" + WRONG + "\"],\"env\":{\"A\":1}}",
                                    "Authorization: Bearer " + SECRET)
                            .status())
                    .isEqualTo(400);
            for (var broken : List.of(
                    "GET /%zz?token=" + SECRET + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
                    "GET /health HTTP/1.1\r\nHost: localhost\r\nAuthorization : Bearer " + SECRET + "\r\n\r\n",
                    "GET /health HTTP/1.1\r\nHost: localhost\r\nX-API-Key: " + SECRET + "\0\r\n\r\n",
                    "GET /health HTTP/1.1\r\nHost: localhost\r\nX-API-Key: " + SECRET + "x".repeat(50_000)
                            + "\r\n\r\n")) {
                try (var client = server.client()) {
                    assertThat(client.exchange(broken).status()).isEqualTo(400);
                }
            }
            cutOff(server);
        } finally {
            root.removeHandler(listener);
        }
        assertThat(said).noneMatch(line -> line.contains(SECRET) || line.contains(WRONG));
    }

    private static void cutOff(TestServer server) throws IOException {
        try (var client = server.client()) {
            client.send(TestServer.head(
                            "POST", "/v1/run?token=" + WRONG, "Authorization: Bearer " + SECRET, "Content-Length: 99")
                    + "\r\n{");
        }
    }
}
