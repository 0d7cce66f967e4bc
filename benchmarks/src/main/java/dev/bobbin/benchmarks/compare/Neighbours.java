package dev.bobbin.benchmarks.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Measures how fast somebody's `true` starts while somebody else's job does harm: `benchmarks/neighbours --help`.
public final class Neighbours {
    private static final String USAGE = """
            usage: benchmarks/neighbours [--check] [--seconds N] [--only WORDS]
              --check      exits 1 if a p99 start is over the 10 ms of the design
              --seconds N  how long beside each job, 10 unless said
              --only WORDS the hostile jobs with these words in their names
            Writes benchmarks/results/neighbours.md, unless --only is given. Needs root, cc and a JDK 25.""";
    private static final double P99_MICROS = 10_000;
    private static final Duration PAUSE = Duration.ofMillis(10);
    private static final int TURNS = 4;
    private static final int WARM_UP = 3000;
    private static final Duration SETTLE = Duration.ofMillis(300);
    private static final Duration CALM = Duration.ofMillis(1500);

    private final Scratch scratch;
    private final Path meterProgram;
    private final Meter meter;
    private final Path probe;
    private final Path truth;
    private final int port;
    private final int millis;

    /// What was seen beside one job: our starts, and in the same seconds those of a plain `posix_spawn`.
    private record Row(String name, Meter.Samples starts, Meter.Samples spawns) {}

    private Neighbours(Path source, Scratch scratch, int seconds) throws IOException, InterruptedException {
        this.scratch = scratch;
        this.millis = seconds * 1000;
        var here = source.resolve("benchmarks/src/main/c");
        this.meterProgram = scratch.compile(here.resolve("meter.c"), "meter");
        this.meter = new Meter(meterProgram);
        this.truth = placed(scratch.compile(here.resolve("true.c"), "true"));
        this.probe = placed(scratch.compileProbe(source));
        this.port = scratch.bobbin(source, "server", 16);
    }

    /// Beneath `/usr`, so that sandboxes have it as a file of the image `host`.
    private Path placed(Path program) throws IOException {
        var name = "bobbin-neighbours-" + program.getFileName() + "-"
                + ProcessHandle.current().pid();
        return scratch.place(program, Path.of("/usr/local/bin", name));
    }

    /// Takes the root of the source tree, then flags.
    public static void main(String[] arguments) throws IOException, InterruptedException {
        var check = false;
        var seconds = 10;
        var only = "";
        for (var i = 1; i < arguments.length; i++) {
            switch (arguments[i]) {
                case "--check" -> check = true;
                case "--seconds" -> seconds = Integer.parseInt(arguments[++i]);
                case "--only" -> only = arguments[++i];
                default -> {
                    System.err.println(USAGE);
                    System.exit(2);
                }
            }
        }
        int status;
        try (var scratch = new Scratch()) {
            var source = Path.of(arguments[0]);
            var neighbours = new Neighbours(source, scratch, seconds);
            var before = Machine.load();
            var rows = neighbours.measure(only);
            var report = report(rows, "load average %.1f before".formatted(before));
            System.out.println(report);
            if (only.isEmpty()) {
                Files.createDirectories(source.resolve("benchmarks/results"));
                Files.writeString(source.resolve("benchmarks/results/neighbours.md"), report);
            }
            status = check ? judge(rows) : 0;
        }
        System.exit(status);
    }

    private List<Row> measure(String only) throws IOException, InterruptedException {
        var neighbour = Contender.served("neighbour", port, truth.toString(), false);
        meter.measure(
                Contender.served("warm", port, truth.toString(), false),
                4,
                WARM_UP,
                60_000,
                Duration.ZERO,
                new Meter.Samples());
        Thread.sleep(CALM);
        row("warm", neighbour);
        var rows = new ArrayList<Row>();
        rows.add(row("nothing", neighbour));
        for (var hostile : Hostile.all(probe)) {
            if (!hostile.name().contains(only)) {
                continue;
            }
            try (var running = hostile.start(port, meterProgram, Duration.ofMillis(3L * millis + 5000))) {
                Thread.sleep(SETTLE);
                rows.add(row(hostile.name(), neighbour));
                if (!running.state().contains("\"state\":\"running\"")) {
                    throw new IOException(hostile.name() + " ended before it was measured: " + running.state());
                }
            }
            Thread.sleep(CALM);
        }
        rows.add(row("nothing, afterwards", neighbour));
        return rows;
    }

    /// In short turns, so that both see the same of what the machine does besides.
    private Row row(String name, Contender neighbour) throws IOException, InterruptedException {
        var spawned = Contender.spawned("true", TURNS, List.of(truth.toString()));
        var starts = new Meter.Samples();
        var spawns = new Meter.Samples();
        for (var turn = 0; turn < TURNS; turn++) {
            meter.measure(neighbour, 1, 1_000_000, millis / TURNS, PAUSE, starts);
            meter.measure(spawned, 1, 1_000_000, millis / TURNS / 2, PAUSE, spawns);
        }
        return new Row(name, starts, spawns);
    }

    private static String report(List<Row> rows, String load) throws IOException {
        var lines = new ArrayList<String>();
        lines.add("# Starting `true` beside a hostile job\n");
        lines.add("Made by `benchmarks/neighbours` on " + Machine.describe() + "; " + load + ".\n");
        lines.add("One client starts a static `true` over HTTP, waits " + PAUSE.toMillis()
                + " ms after each answer, and again; in turns with it a plain `posix_spawn` of the same program is taken,"
                + " which tells what the machine itself does to a start. Milliseconds.\n");
        lines.add("| beside | p50 | p90 | p99 | most | starts | failed | spawn p50 | spawn p99 |");
        lines.add("|---|---|---|---|---|---|---|---|---|");
        for (var row : rows) {
            var starts = row.starts();
            lines.add(String.format(
                    Locale.ROOT,
                    "| %s | %.2f | %.2f | %.2f | %.2f | %d | %d | %.2f | %.2f |",
                    row.name(),
                    starts.micros(0.5) / 1000,
                    starts.micros(0.9) / 1000,
                    starts.micros(0.99) / 1000,
                    starts.micros(1) / 1000,
                    starts.count(),
                    starts.failures(),
                    row.spawns().micros(0.5) / 1000,
                    row.spawns().micros(0.99) / 1000));
        }
        return String.join("\n", lines) + "\n";
    }

    private static int judge(List<Row> rows) {
        var missed = rows.stream()
                .filter(row -> row.starts().failures() > 0 || !(row.starts().micros(0.99) <= P99_MICROS))
                .toList();
        missed.forEach(row -> System.out.println("not met: beside " + row.name()));
        System.out.println(missed.isEmpty() ? "the budget is met" : missed.size() + " rows are over the budget");
        return missed.isEmpty() ? 0 : 1;
    }
}
