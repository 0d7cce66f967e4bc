package dev.bobbin.benchmarks.compare;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/// How long Bobbin itself takes to start, with its class caches and without, in turns; `benchmarks/startup --help` says
/// how.
public final class Startup {
    private static final String USAGE = """
            usage: benchmarks/startup [--check] [ROUNDS]
              --check  exits 1 if the budget of the design is not met with the caches; writes nothing
            Without --check writes benchmarks/results/startup.md. Needs root, cc and a JDK 25. Default 10 rounds.""";
    private static final Pattern READY = Pattern.compile("ready on http://127\\.0\\.0\\.1:(\\d+)");
    private static final Pattern LENGTH = Pattern.compile("(?i)content-length: (\\d+)");
    private static final Duration CACHES = Duration.ofMinutes(5);
    private static final String BODY = "{\"command\":[\"/usr/bin/true\"]}";
    private static final String READY_ROW = "`serve` until ready";
    private static final String LIVE_ROW = "`run -- true`, a server lives";
    private static final int LATER = 10;
    private static final double READY_MILLIS = 1000;
    private static final double COMMAND_MILLIS = 300;

    private final Path launcher;
    private final Scratch scratch;
    private final Map<String, Map<Boolean, List<Double>>> samples = new LinkedHashMap<>();
    private int starts;

    private Startup(Path source, Scratch scratch) {
        this.launcher = source.resolve("ops/bobbin");
        this.scratch = scratch;
    }

    /// Takes the root of the source tree, then the flags.
    public static void main(String[] arguments) throws IOException, InterruptedException {
        var rest = new ArrayList<>(List.of(arguments).subList(1, arguments.length));
        var check = rest.remove("--check");
        if (rest.size() > 1 || !rest.stream().allMatch(text -> text.matches("[1-9][0-9]{0,2}"))) {
            System.err.println(USAGE);
            System.exit(2);
        }
        var rounds = rest.isEmpty() ? 10 : Integer.parseInt(rest.getFirst());
        var source = Path.of(arguments[0]);
        var met = true;
        try (var scratch = new Scratch()) {
            var startup = new Startup(source, scratch);
            startup.awaitCaches(source.resolve("ops/target/run/current/startup"));
            var load = Machine.load();
            for (var round = 0; round < rounds; round++) {
                startup.round(round % 2 == 0);
                startup.round(round % 2 != 0);
            }
            var text = startup.table(startup.spawnMillis(source), rounds, load);
            System.out.print(text);
            if (check) {
                met = startup.median(READY_ROW, true) <= READY_MILLIS
                        && startup.median(LIVE_ROW, true) <= COMMAND_MILLIS;
                System.out.println(met ? "the budget is met" : "the budget is not met");
            } else {
                Files.writeString(source.resolve("benchmarks/results/startup.md"), text);
            }
        }
        System.exit(met ? 0 : 1);
    }

    /// The first use of a build makes its caches, in the background.
    private void awaitCaches(Path directory) throws IOException, InterruptedException {
        command(true, scratch.directory(), "--version");
        var deadline = System.nanoTime() + CACHES.toNanos();
        while (!has(directory, "server") || !has(directory, "client")) {
            if (System.nanoTime() > deadline) {
                throw new IOException("no caches were made; see " + directory.resolve("log"));
            }
            Thread.sleep(Duration.ofMillis(500));
        }
    }

    private static boolean has(Path directory, String kind) throws IOException {
        if (!Files.isDirectory(directory)) {
            return false;
        }
        try (var files = Files.newDirectoryStream(directory, kind + "-*.aot")) {
            return files.iterator().hasNext();
        }
    }

    private void round(boolean cached) throws IOException, InterruptedException {
        var directory = Files.createDirectory(scratch.directory().resolve(Integer.toString(starts++)));
        var log = directory.resolve("log");
        var begin = System.nanoTime();
        var server = builder(cached, directory, "serve", "--listen", "127.0.0.1:0")
                .redirectErrorStream(true)
                .start();
        scratch.stopAtEnd(server);
        try (var lines = server.inputReader()) {
            var port = ready(lines, log);
            add(READY_ROW, cached, begin);
            serve(cached, port);
            add(LIVE_ROW, cached, command(cached, directory, "run", "--", "true"));
        } finally {
            server.destroy();
            if (!server.waitFor(30, TimeUnit.SECONDS)) {
                server.destroyForcibly();
            }
        }
        add("`run -- true`, no server", cached, command(cached, directory, "run", "--", "true"));
        add("`--version`", cached, command(cached, directory, "--version"));
    }

    private static int ready(BufferedReader lines, Path log) throws IOException {
        for (var line = lines.readLine(); line != null; line = lines.readLine()) {
            Files.writeString(log, line + "\n");
            var ready = READY.matcher(line);
            if (ready.find()) {
                return Integer.parseInt(ready.group(1));
            }
        }
        throw new IOException("Bobbin does not start: " + (Files.exists(log) ? Files.readString(log) : "it is silent"));
    }

    private void serve(boolean cached, int port) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setTcpNoDelay(true);
            for (var number = 1; number <= LATER; number++) {
                var begin = System.nanoTime();
                job(socket);
                if (number == 1) {
                    add("its first job", cached, begin);
                } else if (number == LATER) {
                    add("its tenth job", cached, begin);
                }
            }
        }
    }

    private static void job(Socket socket) throws IOException {
        var request = "POST /v1/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
                + BODY.length() + "\r\n\r\n" + BODY;
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        var answer = new StringBuilder();
        var piece = new byte[8192];
        while (!isWhole(answer)) {
            var count = socket.getInputStream().read(piece);
            if (count < 0) {
                throw new IOException("the server closed the connection");
            }
            answer.append(new String(piece, 0, count, StandardCharsets.UTF_8));
        }
        if (answer.indexOf("\"exit_code\":0") < 0) {
            throw new IOException("the job failed: " + answer);
        }
    }

    private static boolean isWhole(StringBuilder answer) {
        var head = answer.indexOf("\r\n\r\n");
        var length = LENGTH.matcher(answer);
        return head >= 0 && length.find() && answer.length() >= head + 4 + Integer.parseInt(length.group(1));
    }

    /// Runs a command to its end and gives when it began.
    private long command(boolean cached, Path directory, String... arguments) throws IOException, InterruptedException {
        var begin = System.nanoTime();
        var process = builder(cached, directory, arguments)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        if (process.waitFor() != 0) {
            throw new IOException("bobbin " + String.join(" ", arguments) + " failed");
        }
        return begin;
    }

    private ProcessBuilder builder(boolean cached, Path directory, String... arguments) {
        var line = new ArrayList<>(List.of(launcher.toString()));
        line.addAll(List.of(arguments));
        var builder = new ProcessBuilder(line).redirectInput(new java.io.File("/dev/null"));
        builder.environment().put("BOBBIN_STARTUP_CACHE", cached ? "on" : "off");
        builder.environment().put("BOBBIN_RUN_DIR", directory.resolve("r").toString());
        builder.environment().put("BOBBIN_DATA_DIR", directory.resolve("data").toString());
        return builder;
    }

    private void add(String row, boolean cached, long begin) {
        samples.computeIfAbsent(row, _ -> new LinkedHashMap<>())
                .computeIfAbsent(cached, _ -> new ArrayList<>())
                .add((System.nanoTime() - begin) / 1e6);
    }

    private double median(String row, boolean cached) {
        var sorted = samples.getOrDefault(row, Map.of()).getOrDefault(cached, List.of()).stream()
                .mapToDouble(millis -> millis)
                .toArray();
        Arrays.sort(sorted);
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    /// The time of `posix_spawn` and wait of a static `true`.
    private double spawnMillis(Path source) throws IOException, InterruptedException {
        var native_ = source.resolve("benchmarks/src/main/c");
        var meter = scratch.directory().resolve("meter");
        var truth = scratch.directory().resolve("true").toString();
        Scratch.run(List.of(
                "cc",
                "-std=gnu11",
                "-O2",
                "-D_GNU_SOURCE",
                "-pthread",
                "-o",
                meter.toString(),
                native_.resolve("meter.c").toString()));
        Scratch.run(List.of(
                "cc", "-O2", "-static", "-o", truth, native_.resolve("true.c").toString()));
        var into = new Meter.Samples();
        new Meter(meter).measure(Contender.spawned("R", 300, List.of(truth)), 1, 300, 10_000, Duration.ZERO, into);
        return into.micros(0.5) / 1000;
    }

    private String table(double spawn, int rounds, double load) throws IOException {
        var text = new StringBuilder("""
                # Starting Bobbin

                Made by `benchmarks/startup` on %s; load average %.1f before. R is `posix_spawn` and `wait` of a static
                `true`, %.2f ms here. Medians of %d, in turns; the launcher's own time is included.

                | | without caches, ms | with, ms | with / R |
                |---|---|---|---|
                """.formatted(Machine.describe(), load, spawn, rounds));
        for (var row : samples.keySet()) {
            var with = median(row, true);
            text.append(String.format(
                    Locale.ROOT, "| %s | %.0f | %.0f | %.0f |%n", row, median(row, false), with, with / spawn));
        }
        return text.toString();
    }
}
