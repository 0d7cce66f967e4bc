package dev.bobbin.scheduler.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.scheduler.admission.AdmissionConfig;
import dev.bobbin.scheduler.http.RawClient;
import dev.bobbin.scheduler.http.TestServer;
import dev.bobbin.scheduler.http.WebSocketClient;
import dev.bobbin.scheduler.tenant.Callers;
import dev.bobbin.scheduler.tenant.Scope;
import dev.bobbin.scheduler.tenant.Tenant;
import dev.bobbin.scheduler.tenant.Token;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Two tenants and an administrator on one server.
@Timeout(60)
final class TenantsIT {
    private static final String BLUE = "Authorization: Bearer blue-secret";
    private static final String RED = "Authorization: Bearer red-secret";
    private static final String READER = "Authorization: Bearer reading-secret";
    private static final String ADMIN = "Authorization: Bearer admin-secret";

    private static TestServer open() throws IOException {
        var work = Set.of(Scope.READ, Scope.RUN);
        return TestServer.open(
                AdmissionConfig.DEFAULT,
                new Callers(List.of(
                        Token.of("blue", "blue-secret", new Tenant("blue"), work),
                        Token.of("red", "red-secret", new Tenant("red"), work),
                        Token.of("reader", "reading-secret", new Tenant("blue"), Set.of(Scope.READ)),
                        Token.of("admin", "admin-secret", new Tenant("house"), Set.of(Scope.ADMIN)))));
    }

    private static String location(RawClient.Answer answer) {
        return String.valueOf(answer.headers().get("location"));
    }

    /// What is answered to whoever asks for the terminal at `path`.
    private static int upgraded(TestServer server, String path, String token) throws IOException {
        var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), server.http.port());
        try (var client = new WebSocketClient(address)) {
            return client.upgrade(path + "/terminal", token).status;
        }
    }

    @Test
    void seeOnlyTheirOwnSandboxes() throws IOException {
        try (var server = open()) {
            var made = server.post("/v1/sandboxes", "{\"name\":\"web\"}", BLUE);
            var id = location(made).substring("/v1/sandboxes/".length());
            var job = server.post("/v1/exec", "{\"sandbox\":\"web\",\"command\":[\"echo\",\"mine\"]}", BLUE);

            for (var name : List.of(id, "web")) {
                var place = "/v1/sandboxes/" + name;
                assertThat(server.get(place, RED).status()).isEqualTo(404);
                assertThat(server.get(place + "/output", RED).status()).isEqualTo(404);
                assertThat(server.delete(place, RED).status()).isEqualTo(404);
                for (var told : List.of("start", "stop", "kill", "restart")) {
                    assertThat(server.post(place + "/" + told, "", RED).status())
                            .isEqualTo(404);
                }
                var exec = "{\"sandbox\":\"" + name + "\",\"command\":[\"true\"]}";
                assertThat(server.post("/v1/exec", exec, RED).status()).isEqualTo(404);
                assertThat(server.post("/v1/jobs", "{\"exec\":" + exec + "}", RED)
                                .status())
                        .isEqualTo(404);
            }
            assertThat(server.get(location(job), RED).status()).isEqualTo(404);
            assertThat(server.get("/v1/sandboxes/web/files/etc/hostname", RED).status())
                    .isEqualTo(404);
            assertThat(server.get("/v1/sandboxes/web/stats", RED).status()).isEqualTo(404);
            var shell = "{\"exec\":{\"sandbox\":\"web\",\"command\":[\"sh\"],\"terminal\":{}}}";
            var terminal = server.post("/v1/jobs", shell, BLUE);
            for (var path : List.of(location(terminal), "/v1/sandboxes/web", "/v1/sandboxes/" + id)) {
                assertThat(upgraded(server, path, RED)).as(path).isEqualTo(404);
                assertThat(upgraded(server, path, "X-API-Key: nobodys")).isEqualTo(401);
                assertThat(upgraded(server, path, READER)).isEqualTo(403);
                assertThat(upgraded(server, path, BLUE)).isEqualTo(101);
            }
            assertThat(server.get("/v1/events?from=0", RED, "Accept: application/json")
                            .text())
                    .startsWith("{\"items\":[]");
            assertThat(server.get("/v1/sandboxes", RED).text()).startsWith("{\"items\":[]");
            assertThat(server.post("/v1/sandboxes", "{\"name\":\"web\"}", RED).status())
                    .isEqualTo(201);
            assertThat(server.get("/v1/sandboxes/web", BLUE).text()).contains(id, "\"state\":\"running\"");

            assertThat(server.delete("/v1/sandboxes/web", RED).status()).isEqualTo(204);
            assertThat(server.delete("/v1/sandboxes/web", BLUE).status()).isEqualTo(204);
        }
    }

    @Test
    void letAReaderLookAndAnAdministratorHelp() throws IOException {
        try (var server = open()) {
            var made = server.post("/v1/sandboxes", "{\"name\":\"web\"}", BLUE);
            var place = location(made);
            var id = place.substring("/v1/sandboxes/".length());

            assertThat(server.get(place, READER).status()).isEqualTo(200);
            assertThat(server.post(place + "/stop", "", READER).status()).isEqualTo(403);
            assertThat(server.delete(place, READER).status()).isEqualTo(403);
            assertThat(server.get("/v1/sandboxes/web", ADMIN).status()).isEqualTo(404);
            var exec = server.post("/v1/exec", "{\"sandbox\":\"" + id + "\",\"command\":[\"true\"]}", ADMIN);
            assertThat(exec.status()).isEqualTo(200);
            assertThat(server.get(location(exec), BLUE).status()).isEqualTo(200);
            assertThat(server.delete(place, ADMIN).status()).isEqualTo(204);
        }
    }
}
