package dev.bobbin.scheduler.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.volume.BindConfig;
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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Two tenants and an administrator on one server.
@Timeout(60)
final class TenantsIT {
    private static final String BLUE = "Authorization: Bearer blue-secret";
    private static final String RED = "Authorization: Bearer red-secret";
    private static final String READER = "Authorization: Bearer reading-secret";
    private static final String ADMIN = "Authorization: Bearer admin-secret";

    private static TestServer open() throws IOException {
        return open(BindConfig.NONE);
    }

    private static TestServer open(BindConfig binds) throws IOException {
        var work = Set.of(Scope.READ, Scope.RUN);
        return TestServer.open(
                AdmissionConfig.DEFAULT,
                new Callers(List.of(
                        Token.of("blue", "blue-secret", new Tenant("blue"), work),
                        Token.of("red", "red-secret", new Tenant("red"), work),
                        Token.of("reader", "reading-secret", new Tenant("blue"), Set.of(Scope.READ)),
                        Token.of("admin", "admin-secret", new Tenant("house"), Set.of(Scope.ADMIN)))),
                binds);
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
    void haveKeysOfTheirOwn() throws IOException {
        try (var server = open()) {
            var body = "{\"command\":[\"true\"]}";
            var key = "Idempotency-Key: shared word";
            var blue = server.post("/v1/run", body, BLUE, key).headers().get("bobbin-job-id");
            var red = server.post("/v1/run", body, RED, key).headers().get("bobbin-job-id");

            assertThat(blue).isNotNull().isNotEqualTo(red);
            assertThat(server.post("/v1/run", body, RED, key).headers()).containsEntry("bobbin-job-id", red);
            assertThat(server.post("/v1/run", body, BLUE, key).headers()).containsEntry("bobbin-job-id", blue);
        }
    }

    @Test
    void nameFilesOfThisMachineOnlyAsAdministrators(@TempDir Path directory) throws IOException {
        try (var server = open()) {
            var target = directory.resolve("image.tar");
            for (var what : List.of("save?image=host&path=", "load?path=")) {
                var answer = server.post("/images/" + what + target, "", BLUE);
                assertThat(answer.status()).isEqualTo(403);
                assertThat(answer.text()).startsWith("only administrators may name files of this machine");
            }
            assertThat(server.post("/images/load?path=" + target, "", ADMIN).status())
                    .isEqualTo(500);
            assertThat(target).doesNotExist();
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

    @Test
    void seeOnlyTheirOwnVolumes() throws IOException {
        try (var server = open()) {
            var mount = ",\"mounts\":[{\"type\":\"volume\",\"source\":\"data\",\"target\":\"/d\"}]}";
            server.post("/v1/run", "{\"command\":[\"touch\",\"/d/blue\"]" + mount, BLUE);
            var blue = server.get("/v1/volumes/data", BLUE);
            var id = blue.text().replaceAll("(?s).*?\"id\":\"([^\"]+)\".*", "$1");
            for (var name : List.of("data", id)) {
                assertThat(server.get("/v1/volumes/" + name, RED).status()).isEqualTo(404);
                assertThat(server.delete("/v1/volumes/" + name, RED).status()).isEqualTo(404);
            }
            assertThat(server.get("/v1/volumes", RED).text()).startsWith("{\"items\":[]");
            assertThat(server.post("/v1/volumes/prune", "", RED).text()).isEqualTo("{\"removed\":[]}");
            var red = server.post("/v1/run", "{\"command\":[\"ls\",\"/d\"]" + mount, RED);
            assertThat(red.text()).contains("\"exit_code\":0", "\"stdout\":\"\"");
            assertThat(server.get("/v1/volumes/data", RED).text()).doesNotContain(id);

            assertThat(server.post("/v1/volumes", "{\"name\":\"x\"}", READER).status())
                    .isEqualTo(403);
            assertThat(server.delete("/v1/volumes/data", READER).status()).isEqualTo(403);
            assertThat(server.get("/v1/volumes/data", READER).text()).isEqualTo(blue.text());
            assertThat(server.delete("/v1/volumes/data", ADMIN).status()).isEqualTo(404);
            assertThat(server.delete("/v1/volumes/" + id, ADMIN).status()).isEqualTo(204);
        }
    }

    @Test
    void mountDirectoriesOfTheMachineOnlyIfTheyMay() throws IOException {
        var directory = Files.createTempDirectory("bobbin-binds").toRealPath();
        var file = Files.writeString(directory.resolve("file"), "of the machine\n");
        var run = "{\"command\":[\"cat\",\"/f\"],\"mounts\":[{\"type\":\"bind\",\"source\":\"%s\",\"target\":\"/f\","
                + "\"read_only\":true}]}";
        var allowed = run.formatted(file);
        for (var everybody : List.of(true, false)) {
            try (var server = open(new BindConfig(List.of(directory), List.of(), everybody))) {
                assertThat(server.post("/v1/run", allowed, ADMIN).text()).contains("\"stdout\":\"of the machine\\n\"");
                var other = server.post("/v1/run", allowed, BLUE);
                assertThat(other.status()).isEqualTo(everybody ? 200 : 403);
                var sandbox = server.post("/v1/sandboxes", allowed, BLUE);
                assertThat(sandbox.status()).isEqualTo(everybody ? 201 : 403);
                var outside = server.post("/v1/run", run.formatted("/etc/passwd"), ADMIN);
                assertThat(outside.status()).isEqualTo(403);
                assertThat(outside.text()).contains("\"code\":\"forbidden\"", "\"field\":\"mounts[0].source\"");
                var absent = server.post("/v1/run", run.formatted(directory.resolve("absent")), ADMIN);
                assertThat(absent.status()).isEqualTo(400);
            }
        }
        Files.delete(file);
        Files.delete(directory);
    }
}
