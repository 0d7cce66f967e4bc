package dev.bobbin.ops.cli;

import dev.bobbin.ops.config.BobbinConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Which server a command asks: the one of the run directory, else one within the command, gone with it.
final class ServerOptions {
    private final Map<String, String> environment;
    private final Server.Starter starter;

    @Option(names = "--run-dir", paramLabel = "DIR", description = "Where to find the server. Default /run/bobbin.")
    private @Nullable String runDir;

    @Option(names = "--config", paramLabel = "FILE", description = "Settings in YAML.")
    private @Nullable Path config;

    ServerOptions(Map<String, String> environment, Server.Starter starter) {
        this.environment = environment;
        this.starter = starter;
    }

    /// What is asked; gives the command's exit code.
    @FunctionalInterface
    interface Question<C> {
        int ask(C client) throws IOException;
    }

    BobbinConfig settings() {
        Map<String, List<String>> flags = runDir == null ? Map.of() : Map.of("run-dir", List.of(runDir));
        return BobbinConfig.read(flags, environment, config);
    }

    Map<String, String> environment() {
        return environment;
    }

    Server.Starter starter() {
        return starter;
    }

    /// Asks about images. What the server refuses is said, and is exit code 1.
    int ask(Question<ImageClient> question) throws IOException {
        var settings = settings();
        var live = connect(settings.socket());
        if (live != null) {
            return ask(question, new ImageClient(live));
        }
        try (var embedded = EmbeddedServer.withImages(settings, starter, 0)) {
            Runtime.getRuntime().addShutdownHook(new Thread(embedded::close, "bobbin-stop"));
            var connection = HttpConnection.connect(embedded.socket());
            embedded.beforeClose(() -> ImageClient.leave(connection));
            return ask(question, new ImageClient(connection));
        }
    }

    /// Asks about sandboxes, which only a server that is there has. What it refuses is said, and is exit code 1.
    int askOfSandboxes(Question<SandboxClient> question) throws IOException {
        return ask(question, new SandboxClient(live(settings().socket())));
    }

    /// As [#askOfSandboxes], about volumes.
    int askOfVolumes(Question<VolumeClient> question) throws IOException {
        return ask(question, new VolumeClient(live(settings().socket())));
    }

    /// Asks about the host itself.
    int askOfHost(Question<HttpConnection> question) throws IOException {
        var settings = settings();
        var live = connect(settings.socket());
        if (live != null) {
            return ask(question, live);
        }
        try (var embedded = settings.hostImage()
                ? EmbeddedServer.start(settings, starter)
                : EmbeddedServer.withImages(settings, starter, 1)) {
            Runtime.getRuntime().addShutdownHook(new Thread(embedded::close, "bobbin-stop"));
            return ask(question, HttpConnection.connect(embedded.socket()));
        }
    }

    private static <C extends AutoCloseable> int ask(Question<C> question, C client) throws IOException {
        try {
            return question.ask(client);
        } catch (RefusedException refused) {
            System.err.println("bobbin: " + Terminal.ERR.fit(String.valueOf(refused.getMessage())));
        } catch (IOException | IllegalArgumentException failed) {
            System.err.println("bobbin: the server broke off: " + failed.getMessage());
        } finally {
            close(client);
        }
        return 1;
    }

    private static void close(AutoCloseable client) throws IOException {
        try {
            client.close();
        } catch (IOException | RuntimeException failed) {
            throw failed;
        } catch (Exception impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /// A connection to the live server.
    static HttpConnection live(Path socket) {
        var connection = connect(socket);
        if (connection == null) {
            throw new StartException("No server is at " + socket
                    + ": start one with \"bobbin serve\", or say with --run-dir where it is.");
        }
        return connection;
    }

    /// A connection to the live server, or nothing if there is none.
    static @Nullable HttpConnection connect(Path socket) {
        if (!Files.exists(socket)) {
            return null;
        }
        try {
            return HttpConnection.connect(socket);
        } catch (java.net.ConnectException _) {
            return null; // left behind by a server that was killed
        } catch (IOException failed) {
            throw new StartException("The server's socket " + socket + " cannot be opened ("
                    + String.valueOf(failed.getMessage()).toLowerCase(Locale.ROOT)
                    + "): run as the server's user, for example with sudo.");
        }
    }
}
