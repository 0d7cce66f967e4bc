package dev.bobbin.benchmarks.compare;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// What a comparison makes on the machine: a directory, servers, a file beneath `/usr`. Closing it leaves nothing, also
/// after an interrupt.
final class Scratch implements AutoCloseable {
    private static final int STOP_SECONDS = 30;

    private final Path directory;
    private final Deque<Runnable> undo = new ArrayDeque<>();

    Scratch() throws IOException {
        directory = Files.createTempDirectory("bobbin-"); // short: sockets lie beneath
        undo.push(() -> remove(directory));
        Runtime.getRuntime().addShutdownHook(new Thread(this::close));
    }

    Path directory() {
        return directory;
    }

    /// Copies `file` to `to`, until the end.
    Path place(Path file, Path to) throws IOException {
        Files.copy(file, to);
        undo.push(() -> remove(to));
        return to;
    }

    /// Starts a server that ends with this; what it says goes to `log`.
    Process serve(Path log, List<String> command) throws IOException {
        var server = new ProcessBuilder(command)
                .redirectInput(new java.io.File("/dev/null"))
                .redirectOutput(log.toFile())
                .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        undo.push(() -> stop(server));
        return server;
    }

    /// Stops `process` at the end if it still runs then.
    void stopAtEnd(Process process) {
        undo.push(() -> stop(process));
    }

    /// Runs a command to its end and gives what it printed.
    static String run(List<String> command) throws IOException, InterruptedException {
        var process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectInput(new java.io.File("/dev/null"))
                .start();
        String output;
        try (var from = process.inputReader()) {
            output = from.readAllAsString();
        }
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", command) + ": " + output.strip());
        }
        return output;
    }

    @Override
    public synchronized void close() {
        while (!undo.isEmpty()) {
            undo.pop().run();
        }
    }

    private static void stop(Process server) {
        server.destroy();
        try {
            if (!server.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                server.destroyForcibly();
            }
        } catch (InterruptedException _) {
            server.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    private static void remove(Path path) {
        try (var files = Files.walk(path)) {
            for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException | UncheckedIOException e) {
            System.err.println("compare: " + path + " is left behind: " + e.getMessage());
        }
    }
}
