package dev.bobbin.scheduler.http.minibox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.TestImages;
import dev.bobbin.scheduler.http.TestServer;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// What the compose command of minibox's client needs of its daemon, and health checks.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ProjectsIT {
    private TestServer server = unset();

    @SuppressWarnings("NullAway") // set before any test
    private static TestServer unset() {
        return null;
    }

    @BeforeAll
    void open() throws IOException {
        server = TestServer.open();
        TranscriptsIT.image(server, "bb", TestImages.config("sh"));
    }

    @AfterAll
    void close() throws IOException {
        server.close();
    }

    /// As `compose up` sends it for a service.
    private String up(String project, String service, String more) throws IOException {
        var body = "{\"image\":\"bb\",\"command\":[\"sleep\",\"600\"],\"env\":null,\"ports\":{},\"volumes\":{},"
                + "\"named_volumes\":{\"" + service + "-data\":\"/data\"},\"name\":\"" + service + "\",\"project\":\""
                + project + "\",\"detached\":true,\"db_mode\":true,\"shm_size\":256,\"user\":\"\","
                + "\"oom_score_adj\":-900" + more + "}";
        var answer = server.post("/containers/run", body);
        assertThat(answer.text()).matches("[a-f0-9]{8}\n");
        return answer.text().strip();
    }

    private String exec(String id, String script) throws IOException {
        return server.post("/containers/exec", "{\"id\":\"" + id + "\",\"command\":[\"sh\",\"-c\",\"" + script + "\"]}")
                .text();
    }

    private String address(String id) throws IOException {
        var found = Pattern.compile("\"id\":\"" + id + "\"[^}]*\"ip\":\"([0-9.]+)\"")
                .matcher(server.get("/containers").text());
        assertThat(found.find()).isTrue();
        return found.group(1);
    }

    @Test
    void tellsEveryMemberOfAProjectItsNeighbours() throws IOException {
        var db = up("shop", "db", "");
        var web = up("shop", "web", "");
        var other = up("other", "db", "");
        for (var member : List.of(db, web)) {
            assertThat(exec(member, "cat /etc/hosts"))
                    .contains(
                            "127.0.0.1\tlocalhost\n",
                            address(db) + "\tdb\n",
                            address(db) + "\t" + db + "\n",
                            address(web) + "\tweb\n",
                            address(web) + "\t" + web + "\n")
                    .doesNotContain(address(other), other);
        }
        assertThat(server.get("/containers").text())
                .contains("\"name\":\"db\",\"project\":\"shop\"", "\"name\":\"db\",\"project\":\"other\"");

        var before = address(web);
        server.post("/containers/stop?id=" + web + "&t=0", "");
        assertThat(exec(db, "cat /etc/hosts")).doesNotContain(before);
        server.post("/containers/start?id=" + web, "");
        assertThat(exec(db, "cat /etc/hosts")).contains(address(web) + "\tweb\n");
        assertThat(exec(web, "cat /etc/hosts")).contains(address(db) + "\tdb\n");
        for (var id : List.of(db, web, other)) {
            assertThat(server.post("/containers/remove?id=" + id, "").status()).isEqualTo(200);
        }
    }

    @Test
    void givesAMemberItsVolumeAgain() throws IOException {
        var first = up("keep", "store", "");
        assertThat(exec(first, "echo kept > /data/file")).isEmpty();
        server.post("/containers/remove?id=" + first, "");
        var second = up("keep", "store", "");
        assertThat(exec(second, "cat /data/file")).isEqualTo("kept\n");
        server.post("/containers/remove?id=" + second, "");
    }

    @Test
    void acceptsProjectsThatNoNetworkCanBeCalled() throws IOException {
        var one = up("my.shop v2", "a.b", "");
        var two = up("my.shop v2", "c", "");
        assertThat(exec(two, "cat /etc/hosts")).contains(address(one) + "\ta.b\n");
        assertThat(server.get("/containers").text()).contains("\"name\":\"a.b\",\"project\":\"my.shop v2\"");
        server.post("/containers/remove?id=" + one, "");
        server.post("/containers/remove?id=" + two, "");
    }

    @Test
    void publishesPorts() throws Exception {
        int port;
        try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        var body =
                "{\"image\":\"bb\",\"command\":[\"busybox\",\"nc\",\"-ll\",\"-p\",\"80\",\"-e\",\"/bin/echo\",\"hello\"],"
                        + "\"detached\":true,\"ports\":{\"" + port + "\":\"80\"}}";
        var id = server.post("/containers/run", body).text().strip();
        assertThat(server.get("/containers").text()).contains("\"ports\":{\"" + port + "\":\"80\"}");
        assertThat(said(port)).isEqualTo("hello\n");
        server.post("/containers/remove?id=" + id, "");
    }

    private static String said(int port) throws Exception {
        var end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (true) {
            try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.setSoTimeout(5_000);
                var text = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                if (!text.isEmpty()) {
                    return text;
                }
            } catch (ConnectException _) {
                assertThat(System.nanoTime()).isLessThan(end);
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }

    @Test
    void looksAfterTheHealthOfContainers() throws Exception {
        var labels = Map.of(
                "mini.healthcheck.cmd", "test\u001f-e\u001f/well\u001f&&\u001fid", "mini.healthcheck.interval", "1");
        var plain = TestImages.config("sleep", "600");
        TranscriptsIT.image(
                server,
                "watched",
                new ImageConfig(
                        plain.environment(),
                        plain.entrypoint(),
                        plain.command(),
                        plain.user(),
                        plain.workdir(),
                        null,
                        List.of(),
                        List.of(),
                        labels,
                        null,
                        List.of(),
                        List.of(),
                        ImageConfig.Origin.HERE));
        var id = server.post("/containers/run", "{\"image\":\"watched\",\"detached\":true}")
                .text()
                .strip();
        assertThat(health(id)).isEqualTo("starting");
        awaitHealth(id, "unhealthy");
        assertThat(exec(id, "echo > /well")).isEmpty();
        awaitHealth(id, "healthy");
        server.post("/containers/stop?id=" + id + "&t=0", "");
        assertThat(health(id)).isEqualTo("none");
        server.post("/containers/remove?id=" + id, "");
    }

    private String health(String id) throws IOException {
        var found = Pattern.compile("\"id\":\"" + id + "\"[^}]*\"health\":\"([a-z]+)\"")
                .matcher(server.get("/containers").text());
        assertThat(found.find()).isTrue();
        return found.group(1);
    }

    private void awaitHealth(String id, String expected) throws Exception {
        var end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (!health(id).equals(expected)) {
            assertThat(System.nanoTime()).as(expected).isLessThan(end);
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }
}
