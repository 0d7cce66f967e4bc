package dev.bobbin.benchmarks.compare;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// What a comparison makes on the machine: a directory, servers, a file beneath `/usr`. Closing it leaves nothing, also
/// after an interrupt.
public final class Scratch implements AutoCloseable {
    private static final int STOP_SECONDS = 30;
    private static final Duration START = Duration.ofMinutes(5);
    private static final Duration DOCKER_START = Duration.ofSeconds(60);
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static final Pattern READY = Pattern.compile("ready on http://127\\.0\\.0\\.1:(\\d+)");

    private final Path directory;
    private final Deque<Runnable> undo = new ArrayDeque<>();

    public Scratch() throws IOException {
        directory = Files.createTempDirectory("bobbin-"); // short: sockets lie beneath
        undo.push(() -> remove(directory));
        Runtime.getRuntime().addShutdownHook(new Thread(this::close));
    }

    public Path directory() {
        return directory;
    }

    /// Lets all that is made from here on lie in a new ext4 file system of its own, since one without a journal makes
    /// files ever slower while others are being removed.
    public void useFileSystemOfItsOwn(int gibibytes) throws IOException, InterruptedException {
        var file = Files.createTempFile("bobbin-", ".ext4");
        undo.push(() -> remove(file));
        run(List.of("truncate", "-s", gibibytes + "G", file.toString()));
        run(List.of("mkfs.ext4", "-q", "-F", file.toString()));
        var device = run(List.of("losetup", "-f", "--show", "--direct-io=on", file.toString()))
                .strip();
        undo.push(() -> quietly(List.of("losetup", "-d", device)));
        run(List.of("mount", device, directory.toString()));
        undo.push(() -> quietly(List.of("umount", "-l", directory.toString())));
    }

    private static void quietly(List<String> command) {
        try {
            run(command);
        } catch (IOException e) {
            System.err.println(e.getMessage());
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /// Copies `file` to `to`, until the end.
    Path place(Path file, Path to) throws IOException {
        Files.copy(file, to);
        undo.push(() -> remove(to));
        return to;
    }

    /// Starts a server that ends with this; what it says goes to `log`.
    public Process serve(Path log, List<String> command) throws IOException {
        var server = new ProcessBuilder(command)
                .redirectInput(new java.io.File("/dev/null"))
                .redirectOutput(log.toFile())
                .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        undo.push(() -> stop(server));
        return server;
    }

    /// Installs packages of Debian.
    public static void install(List<String> packages) throws IOException, InterruptedException {
        run(List.of("apt-get", "update", "-q"));
        var command = new ArrayList<>(List.of(
                "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-qy", "--no-install-recommends"));
        command.addAll(packages);
        run(command);
    }

    public static boolean isInstalled(String program) {
        return Stream.of("/usr/local/bin", "/usr/bin", "/usr/sbin", "/usr/local/sbin")
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
    }

    /// Starts a `dockerd` of our own, without a network, unless it runs already, and gives its address; nothing if it
    /// does not start here.
    public Optional<String> dockerd() throws IOException, InterruptedException {
        var own = directory.resolve("docker");
        var socket = own.resolve("docker.sock");
        if (Files.exists(own)) {
            return Files.exists(socket) ? Optional.of("unix://" + socket) : Optional.empty();
        }
        Files.createDirectory(own);
        var daemon = serve(
                directory.resolve("dockerd.log"),
                List.of(
                        "dockerd",
                        "--host",
                        "unix://" + socket,
                        "--data-root",
                        own.resolve("data").toString(),
                        "--exec-root",
                        own.resolve("exec").toString(),
                        "--pidfile",
                        own.resolve("pid").toString(),
                        "--bridge",
                        "none",
                        "--iptables=false",
                        "--storage-driver",
                        "overlay2"));
        var deadline = System.nanoTime() + DOCKER_START.toNanos();
        while (!Files.exists(socket)) {
            if (!daemon.isAlive() || System.nanoTime() > deadline) {
                System.err.println("dockerd does not start here, so docker is left out");
                return Optional.empty();
            }
            Thread.sleep(Duration.ofMillis(100));
        }
        return Optional.of("unix://" + socket);
    }

    /// Stops `process` at the end if it still runs then.
    void stopAtEnd(Process process) {
        undo.push(() -> stop(process));
    }

    /// Starts the Bobbin of the tree `source`, with directories of its own, and gives its port.
    public int bobbin(Path source, String name, int pool) throws IOException, InterruptedException {
        var home = Files.createDirectory(directory.resolve(name));
        var log = home.resolve("log");
        var server = serve(
                log,
                List.of(
                        source.resolve("ops/bobbin").toString(),
                        "serve",
                        "--listen",
                        "127.0.0.1:0",
                        "--pool",
                        Integer.toString(pool),
                        "--data-dir",
                        home.resolve("data").toString(),
                        "--run-dir",
                        home.resolve("run").toString()));
        var deadline = System.nanoTime() + START.toNanos();
        while (server.isAlive() && System.nanoTime() < deadline) {
            var ready = READY.matcher(Files.readString(log));
            if (ready.find()) {
                return Integer.parseInt(ready.group(1));
            }
            Thread.sleep(Duration.ofMillis(50));
        }
        throw new IOException("Bobbin does not start: " + Files.readString(log).strip());
    }

    /// Makes a sandbox that idles on the Bobbin of this port, until the end.
    void sandbox(int port, String name) throws IOException, InterruptedException {
        post(port, "/v1/sandboxes", "{\"name\":\"" + name + "\"}");
        var sandbox = HttpRequest.newBuilder(place(port, "/v1/sandboxes/" + name));
        undo.push(() -> attempt(() -> ask(sandbox.DELETE().build())));
    }

    private static String ask(HttpRequest request) throws IOException, InterruptedException {
        var answer = CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() >= 300) {
            throw new IOException(request + ": " + answer.body());
        }
        return answer.body();
    }

    /// What the Bobbin of this port answers to a GET.
    static String get(int port, String path) throws IOException, InterruptedException {
        return ask(HttpRequest.newBuilder(place(port, path)).build());
    }

    /// What it answers to a POST of `body`.
    static String post(int port, String path, String body) throws IOException, InterruptedException {
        return ask(HttpRequest.newBuilder(place(port, path))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build());
    }

    /// What it answers to a POST of a file.
    static String post(int port, String path, Path file) throws IOException, InterruptedException {
        return ask(HttpRequest.newBuilder(place(port, path))
                .POST(HttpRequest.BodyPublishers.ofFile(file))
                .build());
    }

    private static URI place(int port, String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }

    /// Runs a command at the end, before what was begun earlier ends.
    void runAtEnd(List<String> command) {
        undo.push(() -> attempt(() -> run(command)));
    }

    @FunctionalInterface
    private interface Step {
        void take() throws IOException, InterruptedException;
    }

    private static void attempt(Step step) {
        try {
            step.take();
        } catch (IOException e) {
            System.err.println("compare: " + e.getMessage());
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /// Makes a static program of one C source.
    Path compile(Path source, String name) throws IOException, InterruptedException {
        return compile(List.of(source), name);
    }

    /// Makes the program of the runner's tests that does all kinds of harm.
    Path compileProbe(Path tree) throws IOException, InterruptedException {
        var sources = tree.resolve("runner/src");
        return compile(
                Stream.of("test/c/probe.c", "test/c/calls.c", "test/c/talk.c", "main/c/attempts.c")
                        .map(sources::resolve)
                        .toList(),
                "probe");
    }

    private Path compile(List<Path> sources, String name) throws IOException, InterruptedException {
        var program = directory.resolve(name);
        var command = new ArrayList<>(List.of(
                "cc", "-std=gnu11", "-O2", "-D_GNU_SOURCE", "-pthread", "-static", "-s", "-o", program.toString()));
        sources.forEach(source -> command.addAll(List.of("-I" + source.getParent(), source.toString())));
        run(command);
        return program;
    }

    /// Runs a command to its end and gives what it printed.
    public static String run(List<String> command) throws IOException, InterruptedException {
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
