package dev.bobbin.benchmarks.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// How fast one job's output comes to one client, against the same bytes through a pipe and a local socket;
/// `benchmarks/streaming --help` says how.
public final class Streaming {
    private static final String USAGE = """
            usage: benchmarks/streaming [--check] [--rounds N]
              --check     exits 1 if the budget of the design is not met: half of a pipe and a local socket
              --rounds N  measures each N times, in turns (6)
            Writes benchmarks/results/streaming.md. Needs root, cc and a JDK 25.""";
    private static final long BYTES = 1L << 30;
    private static final double BUDGET = 0.5;

    private final Path meter;
    private final Path writer;
    private final List<Way> ways;

    /// One way to the client, and what it brought each time, in bytes a second.
    ///
    /// @param where what the meter is to connect to, empty for the pipe
    private record Way(String name, String where, List<Double> rates) {
        double median() {
            var sorted = rates.stream().mapToDouble(Double::doubleValue).toArray();
            Arrays.sort(sorted);
            return sorted[sorted.length / 2];
        }
    }

    private Streaming(Path source, Scratch scratch) throws IOException, InterruptedException {
        this.meter = scratch.compile(source.resolve("benchmarks/src/main/c/stream.c"), "stream");
        this.writer = scratch.place(
                scratch.compileProbe(source),
                Path.of("/usr/local/bin/bobbin-streaming-"
                        + ProcessHandle.current().pid()));
        var port = scratch.bobbin(source, "server", 4);
        var socket = scratch.directory().resolve("server/run/api.sock");
        this.ways = List.of(
                new Way("pipe and local socket", "", new ArrayList<>()),
                new Way("Bobbin, unix socket", socket.toString(), new ArrayList<>()),
                new Way("Bobbin, TCP on loopback", Integer.toString(port), new ArrayList<>()));
    }

    /// Takes the root of the source tree, then flags.
    public static void main(String[] arguments) throws IOException, InterruptedException {
        var check = false;
        var rounds = 6;
        for (var i = 1; i < arguments.length; i++) {
            switch (arguments[i]) {
                case "--check" -> check = true;
                case "--rounds" -> rounds = Integer.parseInt(arguments[++i]);
                default -> {
                    System.err.println(USAGE);
                    System.exit(2);
                }
            }
        }
        int status;
        try (var scratch = new Scratch()) {
            var source = Path.of(arguments[0]);
            var streaming = new Streaming(source, scratch);
            for (var round = 0; round <= rounds; round++) {
                streaming.measure(round > 0);
            }
            var report = streaming.report();
            System.out.println(report);
            Files.createDirectories(source.resolve("benchmarks/results"));
            Files.writeString(source.resolve("benchmarks/results/streaming.md"), report);
            status = check ? streaming.judge() : 0;
        }
        System.exit(status);
    }

    /// @param counts false for the round that only warms up
    private void measure(boolean counts) throws IOException, InterruptedException {
        for (var way : ways) {
            var command = new ArrayList<>(List.of(meter.toString()));
            command.addAll(
                    way.where.isEmpty()
                            ? List.of("pipe", writer.toString(), "spew", Long.toString(BYTES))
                            : List.of("http", way.where));
            var process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            try (var out = process.outputWriter()) {
                out.write("{\"command\":[\"" + writer + "\",\"spew\",\"" + BYTES + "\"],\"output_policy\":\"block\"}");
            }
            String said;
            try (var in = process.inputReader()) {
                said = in.readAllAsString().strip();
            }
            var words = said.split(" ", -1);
            if (process.waitFor() != 0 || words.length != 2 || Long.parseLong(words[1]) < BYTES) {
                throw new IOException(way.name + " did not bring everything: " + said);
            }
            if (counts) {
                way.rates.add(BYTES / (Long.parseLong(words[0]) / 1e9));
            }
        }
    }

    private String report() throws IOException {
        var lines = new ArrayList<String>();
        lines.add("# One job's output to one client\n");
        lines.add("Made by `benchmarks/streaming` on " + Machine.describe()
                + "; load average %.1f after.\n".formatted(Machine.load()));
        lines.add(
                "The same program writes 1 GiB in pieces of 64 KiB; a job under the policy `block` with 64 MiB of journal. In turns,");
        lines.add("medians of " + ways.getFirst().rates.size() + ".\n");
        lines.add("| | MB/s | of the first |");
        lines.add("|---|---|---|");
        for (var way : ways) {
            lines.add(String.format(Locale.ROOT, "| %s | %.0f | %.2f |", way.name, way.median() / 1e6, share(way)));
        }
        return String.join("\n", lines) + "\n";
    }

    private double share(Way way) {
        return way.median() / ways.getFirst().median();
    }

    private int judge() {
        var missed = ways.stream().filter(way -> share(way) < BUDGET).toList();
        missed.forEach(way -> System.out.printf(
                Locale.ROOT,
                "not met: %s brings %.2f of a pipe and a local socket, at least %.2f%n",
                way.name,
                share(way),
                BUDGET));
        System.out.println(missed.isEmpty() ? "the budget is met" : missed.size() + " rows are over the budget");
        return missed.isEmpty() ? 0 : 1;
    }
}
