package dev.bobbin.image.store;

import dev.bobbin.image.ImageReference;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A real `docker-registry` on loopback, which keeps its images below a directory of the test.
public final class TestRegistry implements AutoCloseable {
    private final Process process;
    private final int port;
    private final Path log;

    private TestRegistry(Process process, int port, Path log) {
        this.process = process;
        this.port = port;
        this.log = log;
    }

    public static TestRegistry start(Path directory) throws Exception {
        Files.createDirectories(directory);
        var log = directory.resolve("registry.log");
        for (var attempt = 0; attempt < 5; attempt++) {
            var port = freePort();
            var config = directory.resolve("config.yml");
            Files.writeString(config, """
                    version: 0.1
                    log: {accesslog: {disabled: false}, level: info}
                    storage: {filesystem: {rootdirectory: %s}, delete: {enabled: true}}
                    http: {addr: "127.0.0.1:%d"}
                    """.formatted(directory.resolve("storage"), port));
            var process = new ProcessBuilder("docker-registry", "serve", config.toString())
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            var registry = new TestRegistry(process, port, log);
            if (registry.answers()) {
                return registry;
            }
            registry.close();
        }
        throw new IllegalStateException("docker-registry did not start: " + Files.readString(log));
    }

    public String host() {
        return "127.0.0.1:" + port;
    }

    public ImageReference reference(String name) {
        return new ImageReference(host() + "/" + name);
    }

    /// Copies an image by skopeo from or to `oci:…`, `docker-archive:…`, `docker://…`.
    public static void skopeo(String from, String to) throws Exception {
        run("skopeo", "--insecure-policy", "copy", "--src-tls-verify=false", "--dest-tls-verify=false", from, to);
    }

    public static String run(String... command) throws Exception {
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        var output = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IllegalStateException(String.join(" ", command) + ": " + output);
        }
        return output;
    }

    /// The paths of blobs that were asked for so far, each as often as it was.
    public List<String> blobRequests() throws IOException {
        var requests = new ArrayList<String>();
        for (var line : Files.readAllLines(log)) {
            if (line.contains("\"GET /v2/") && line.contains("/blobs/")) {
                requests.add(line.substring(line.indexOf("/v2/"), line.indexOf(" HTTP/1")));
            }
        }
        return requests;
    }

    private boolean answers() throws InterruptedException {
        for (var tries = 0; tries < 200 && process.isAlive(); tries++) {
            try (var _ = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return true;
            } catch (IOException _) {
                TimeUnit.MILLISECONDS.sleep(50);
            }
        }
        return false;
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
