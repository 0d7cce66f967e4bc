package dev.bobbin.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A server in a process of its own, started with the options that `ops/bobbin serve` gives the JVM.
final class RealServer implements AutoCloseable {
    private static final Path JAR = Path.of("target/bobbin.jar").toAbsolutePath();
    private static final String JAVA = System.getProperty("java.home") + "/bin/java";
    private static final Pattern OPTIONS = Pattern.compile("serve\\)\\s+set -- (.*?) -jar", Pattern.DOTALL);
    private static final Pattern READY = Pattern.compile("ready on http://127\\.0\\.0\\.1:(\\d+)");

    final int port;
    private final Process process;
    private final HttpClient client = HttpClient.newHttpClient();

    private RealServer(Process process, int port) {
        this.process = process;
        this.port = port;
    }

    /// The whole command line of a server in `directory`.
    static List<String> command(Path directory, String... settings) throws IOException {
        var options = OPTIONS.matcher(Files.readString(Path.of("bobbin")));
        assertThat(options.find())
                .as("the launcher says how it starts a server")
                .isTrue();
        var command = new ArrayList<>(List.of(JAVA));
        var here = Path.of("").toAbsolutePath();
        for (var option : options.group(1).split("[\\\\\\s]+", -1)) {
            command.add(option.replace(
                    "\"$ops/compilers.json\"", here.resolve("compilers.json").toString()));
        }
        command.addAll(List.of("-jar", JAR.toString(), "serve", "--listen", "127.0.0.1:0"));
        command.addAll(List.of("--data-dir", directory.resolve("data").toString()));
        command.addAll(List.of("--run-dir", directory.resolve("run").toString()));
        command.addAll(List.of(settings));
        return command;
    }

    /// Starts `command`, which is a server or becomes one, and waits until it serves.
    static RealServer start(Path directory, List<String> command) throws Exception {
        var log = directory.resolve("log");
        var process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        while (true) {
            var ready = READY.matcher(Files.readString(log));
            if (ready.find()) {
                return new RealServer(process, Integer.parseInt(ready.group(1)));
            }
            assertThat(process.isAlive()).as(Files.readString(log)).isTrue();
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    private HttpRequest.Builder request(String path, String accept) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .header("Accept", accept)
                .timeout(Duration.ofMinutes(2));
    }

    /// One request, which must be answered with `status`.
    String ask(int status, String method, String path, String body) throws Exception {
        var request = request(path, "application/json")
                .method(method, BodyPublishers.ofString(body))
                .build();
        var answer = client.send(request, BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        return answer.body();
    }

    /// The frames of a stream, as they come.
    HttpResponse<Stream<String>> frames(String method, String path, String body) throws Exception {
        var request = request(path, "application/x-ndjson")
                .method(method, BodyPublishers.ofString(body))
                .build();
        var answer = client.send(request, BodyHandlers.ofLines());
        assertThat(answer.statusCode()).isEqualTo(200);
        return answer;
    }

    /// Kills the server, which must lead its process group, and everybody in that.
    void killGroup() throws Exception {
        new ProcessBuilder("kill", "-9", "--", "-" + process.pid()).start().waitFor();
        process.waitFor();
        client.shutdownNow();
    }

    /// Sends a request with an `Idempotency-Key`; what a job prints comes as it comes.
    HttpResponse<InputStream> keyed(String word, String path, String body) throws Exception {
        var post = request(path, path.equals("/v1/run") ? "text/plain" : "application/json")
                .header("Idempotency-Key", word)
                .POST(BodyPublishers.ofString(body))
                .build();
        return client.send(post, BodyHandlers.ofInputStream());
    }

    String get(String path) throws Exception {
        return client.send(request(path, "application/json").build(), BodyHandlers.ofString())
                .body();
    }

    /// As plain text, whole.
    String text(String path) throws Exception {
        return client.send(request(path, "text/plain").build(), BodyHandlers.ofString())
                .body();
    }

    String run(String body) throws Exception {
        return client.send(
                        request("/v1/run", "application/json")
                                .POST(BodyPublishers.ofString(body))
                                .build(),
                        BodyHandlers.ofString())
                .body();
    }

    /// Ends the job at `path` and waits until it has ended.
    void cancel(String path) throws Exception {
        client.send(
                request(path + "/cancel", "application/json")
                        .POST(BodyPublishers.noBody())
                        .build(),
                BodyHandlers.discarding());
        while (get(path).contains("\"state\":\"running\"")) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    /// Starts a job whose output is streamed.
    HttpResponse<InputStream> stream(String body) throws Exception {
        var post = request("/v1/run", "text/plain")
                .POST(BodyPublishers.ofString(body))
                .build();
        var answer = client.send(post, BodyHandlers.ofInputStream());
        assertThat(answer.statusCode()).isEqualTo(200);
        return answer;
    }

    /// A number of `/proc/PID/status` of the server, in bytes.
    long memory(String field) throws IOException {
        return Files.readAllLines(Path.of("/proc/" + process.pid() + "/status")).stream()
                .filter(line -> line.startsWith(field + ":"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                .findFirst()
                .orElseThrow();
    }

    @Override
    public void close() {
        client.shutdownNow();
        process.destroy();
        try {
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException _) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
