package dev.bobbin.benchmarks.pull;

import dev.bobbin.benchmarks.compare.Scratch;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/// A `docker-registry` on loopback, and what it was asked for.
final class LocalRegistry {
    private static final int TRIES = 200;
    private static final Duration STEP = Duration.ofMillis(50);

    private final int port;
    private final Path log;

    private LocalRegistry(int port, Path log) {
        this.port = port;
        this.log = log;
    }

    /// Starts one, which ends with `scratch`.
    static LocalRegistry start(Scratch scratch) throws IOException, InterruptedException {
        var home = Files.createDirectory(scratch.directory().resolve("registry"));
        var log = home.resolve("log");
        var port = freePort();
        var config = Files.writeString(home.resolve("config.yml"), """
                        version: 0.1
                        log: {accesslog: {disabled: false}, level: warn}
                        storage: {filesystem: {rootdirectory: %s}}
                        http: {addr: "127.0.0.1:%d"}
                        """.formatted(home.resolve("storage"), port));
        var process = scratch.serve(log, java.util.List.of("docker-registry", "serve", config.toString()));
        for (var tries = 0; tries < TRIES && process.isAlive(); tries++) {
            try (var _ = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return new LocalRegistry(port, log);
            } catch (IOException _) {
                Thread.sleep(STEP);
            }
        }
        throw new IOException("docker-registry does not start: " + Files.readString(log));
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    String name(String repositoryAndTag) {
        return "127.0.0.1:" + port + "/" + repositoryAndTag;
    }

    /// How often it was asked for a blob so far.
    long blobRequests() throws IOException {
        try (var lines = Files.lines(log)) {
            return lines.filter(line -> line.contains("\"GET /v2/") && line.contains("/blobs/"))
                    .count();
        }
    }
}
