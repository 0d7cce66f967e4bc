package dev.bobbin.scheduler.http.minibox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.TestImages;
import dev.bobbin.image.Tools;
import dev.bobbin.scheduler.http.RawClient;
import dev.bobbin.scheduler.http.TestServer;
import dev.bobbin.scheduler.tenant.Tenant;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A real database as `minibox db run` begins one, with `db_mode`, a volume for its data and a published port.
@Timeout(120)
final class DatabaseIT {
    private static final String[] REDIS = {"/usr/bin/redis-server", "/usr/bin/redis-cli"};

    @Test
    void keepsWhatRedisWasToldFromStopToStart(@TempDir Path directory) throws Exception {
        Tools.require(REDIS);
        try (var server = TestServer.open()) {
            var programs = HostPrograms.layer(directory, REDIS);
            server.host
                    .images()
                    .commit(
                            Tenant.DEFAULT.name(),
                            new ImageReference("redis:7"),
                            null,
                            new ImageConfig(
                                    Map.of(),
                                    List.of("/usr/bin/redis-server"),
                                    List.of("--dir", "/data", "--appendonly", "yes", "--protected-mode", "no"),
                                    "root",
                                    "/"),
                            List.of(
                                    TestImages.stream(TestImages.busybox()),
                                    TestImages.stream(programs),
                                    TestImages.stream(TestImages.tar()
                                            .owned("data", 1000, 1001)
                                            .bytes())));
            var port = freePort();
            var id = run(server, port);
            assertThat(cli(server, id, "ping")).isEqualTo("PONG\n");
            assertThat(cli(server, id, "set", "who", "bobbin")).isEqualTo("OK\n");
            assertThat(through(port, "get who")).isEqualTo("$6\r\nbobbin\r\n");

            assertThat(server.post("/containers/stop?id=" + id, "").text()).isEqualTo("Container " + id + " stopped\n");
            assertThat(server.post("/containers/start?id=" + id, "").text()).isEqualTo(id + "\n");
            assertThat(cli(server, id, "get", "who")).isEqualTo("bobbin\n");
            assertThat(through(port, "get who")).isEqualTo("$6\r\nbobbin\r\n");

            assertThat(server.post("/containers/remove?id=" + id, "").status()).isEqualTo(200);
            var next = run(server, port);
            assertThat(cli(server, next, "get", "who")).isEqualTo("bobbin\n");
            assertThat(server.post("/containers/remove?id=" + next, "").status())
                    .isEqualTo(200);
        }
    }

    /// With the fields that the official client sends, as a user who is not root.
    private static String run(TestServer server, int port) throws IOException {
        var body =
                "{\"image\":\"redis:7\",\"command\":null,\"detached\":true,\"interactive\":false,\"ports\":{\"" + port
                        + "\":\"6379\"},\"named_volumes\":{\"redis-7-data\":\"/data\"},\"env\":null,\"db_mode\":true,"
                        + "\"user\":\"app\",\"shm_size\":256,\"oom_score_adj\":-900}";
        var answer = server.post("/containers/run", body);
        assertThat(answer.text()).matches("[a-f0-9]{8}\n");
        return answer.text().strip();
    }

    /// What the database's own client is told in the container, as soon as the database answers.
    private static String cli(TestServer server, String id, String... words) throws Exception {
        var body = "{\"id\":\"" + id + "\",\"command\":[\"redis-cli\",\"-e\",\"" + String.join("\",\"", words) + "\"]}";
        var end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (true) {
            RawClient.Answer answer = server.post("/containers/exec", body);
            if (answer.status() == 200) {
                return answer.text();
            }
            assertThat(System.nanoTime()).as(answer.text()).isLessThan(end);
            assertThat(answer.text()).containsAnyOf("Connection refused", "LOADING");
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    /// What it answers to one command at its port of this machine.
    private static String through(int port, String command) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write((command + "\r\nquit\r\n").getBytes(StandardCharsets.UTF_8));
            var told = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(told).endsWith("+OK\r\n");
            return told.substring(0, told.length() - "+OK\r\n".length());
        }
    }

    private static int freePort() throws IOException {
        try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return free.getLocalPort();
        }
    }
}
