package dev.bobbin.image.registry;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/// A real `docker-registry` on a port of its own choice, gone when closed.
final class DebianRegistry implements AutoCloseable {
    static final Path PROGRAM = Path.of("/usr/bin/docker-registry");

    private static final Pattern LISTENING = Pattern.compile("listening on [^ ]*:([0-9]+)");

    private final Process process;
    private final int port;

    /// @param directory where it keeps its blobs and its configuration
    /// @param more YAML: what its configuration says besides storage; `http` begins with `HTTP` in place of its key
    DebianRegistry(Path directory, String http, String more) throws IOException {
        var config = Files.writeString(
                directory.resolve("config.yml"), """
                version: 0.1
                log: {level: info}
                storage: {filesystem: {rootdirectory: %s}, delete: {enabled: true}}
                http:
                  addr: 127.0.0.1:0
                %s
                %s
                """.formatted(directory.resolve("data"), http.indent(2), more));
        process = new ProcessBuilder(PROGRAM.toString(), "serve", config.toString())
                .redirectErrorStream(true)
                .start();
        var output = process.inputReader();
        port = port(output);
        Thread.ofPlatform().daemon().start(() -> output.lines().forEach(_ -> {}));
    }

    private int port(BufferedReader output) throws IOException {
        var said = new StringBuilder();
        for (var line = output.readLine(); line != null; line = output.readLine()) {
            var match = LISTENING.matcher(line);
            if (match.find()) {
                return Integer.parseInt(match.group(1));
            }
            said.append(line).append('\n');
        }
        throw new IOException("docker-registry did not start: " + said);
    }

    int port() {
        return port;
    }

    String name() {
        return "127.0.0.1:" + port;
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
