package dev.bobbin.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.host.Leftovers;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A server that is killed with its whole process group while jobs print, and its successor.
@Timeout(120)
final class CrashIT {
    private static final Path JAR = Path.of("target/bobbin.jar").toAbsolutePath();
    private static final Path JAVA = Path.of(System.getProperty("java.home"), "bin", "java");
    private static final Pattern ADDRESS = Pattern.compile("ready on (http://\\S+)");
    private static final int LINES = 60;
    private static final int JOBS = 8;

    private final HttpClient client = HttpClient.newHttpClient();
    private Path directory = Path.of("");
    private final List<Process> servers = new ArrayList<>();
    private String address = "";

    @BeforeEach
    void shortDirectory() throws IOException {
        directory = Files.createTempDirectory(Path.of("/tmp"), "bobbin-it-");
    }

    @AfterEach
    void endWhatIsLeft() throws Exception {
        for (var server : servers) {
            server.destroyForcibly().waitFor();
        }
        new ProcessBuilder("rm", "-rf", directory.toString()).start().waitFor();
    }

    @Test
    void losesNeitherOutputNorOutcome() throws Exception {
        var seed = Long.getLong("bobbin.seed", System.nanoTime());
        var random = new Random(seed);
        var leftovers = Leftovers.of(directory.resolve("run"));
        var expected = IntStream.rangeClosed(1, LINES)
                .mapToObj(line -> "line " + line + "\n")
                .collect(Collectors.joining());
        serve();
        for (var round = 0; round < 3; round++) {
            var ids = new ArrayList<String>();
            for (var job = 0; job < JOBS; job++) {
                ids.add(start(job % 2 == 0 ? "kill" : "continue"));
            }
            TimeUnit.MILLISECONDS.sleep(random.nextInt(1200));
            killGroup();
            serve();
            for (var id : ids) {
                assertThat(get("/v1/jobs/" + id + "/output?follow=true").body())
                        .as("seed %d, round %d, job %s", seed, round, id)
                        .isEqualTo(expected);
                assertThat(get("/v1/jobs/" + id).body())
                        .contains("\"cause\":\"exited\",\"exit_code\":5", "\"path\":\"", "\"admit\":");
            }
        }
        var last = servers.getLast();
        last.destroy();
        assertThat(last.waitFor(20, TimeUnit.SECONDS)).isTrue();
        leftovers.assertNothingMore();
    }

    private String start(String onDisconnect) throws Exception {
        var script = "for i in $(seq " + LINES + "); do echo line $i; sleep 0.03; done; exit 5";
        var body = "{\"command\":[\"sh\",\"-c\",\"%s\"],\"on_disconnect\":\"%s\"}".formatted(script, onDisconnect);
        var request = HttpRequest.newBuilder(URI.create(address + "/v1/run"))
                .header("Accept", "text/plain")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        var answer = client.send(request, BodyHandlers.ofInputStream());
        assertThat(answer.statusCode()).isEqualTo(200);
        return answer.headers().firstValue("Bobbin-Job-Id").orElseThrow();
    }

    private HttpResponse<String> get(String path) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(address + path))
                .header("Accept", path.contains("/output") ? "text/plain" : "application/json")
                .timeout(Duration.ofSeconds(60))
                .build();
        return client.send(request, BodyHandlers.ofString());
    }

    /// Starts a server in a process group of its own and waits until it serves.
    private void serve() throws Exception {
        var log = directory.resolve("log-" + servers.size());
        var server = new ProcessBuilder(
                        "setsid",
                        JAVA.toString(),
                        "-jar",
                        JAR.toString(),
                        "serve",
                        "--listen",
                        "127.0.0.1:0",
                        "--data-dir",
                        directory.resolve("data").toString(),
                        "--run-dir",
                        directory.resolve("run").toString(),
                        "--pool",
                        "4")
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        servers.add(server);
        while (true) {
            var ready = ADDRESS.matcher(Files.readString(log));
            if (ready.find()) {
                address = ready.group(1);
                return;
            }
            assertThat(server.isAlive()).as(Files.readString(log)).isTrue();
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    private void killGroup() throws Exception {
        var server = servers.getLast();
        new ProcessBuilder("kill", "-9", "--", "-" + server.pid()).start().waitFor();
        server.waitFor();
    }
}
