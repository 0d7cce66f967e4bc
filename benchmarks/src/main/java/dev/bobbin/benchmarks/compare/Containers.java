package dev.bobbin.benchmarks.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/// The API of minibox, as its clients use it, beside what minibox itself was measured to take elsewhere. Its containers
/// have a network each, and last until they are removed.
final class Containers {
    private static final Duration PAUSE = Duration.ofMillis(300);
    private static final Duration BETWEEN_RUNS = Duration.ofMillis(5);
    private static final int MOST_MILLIS = 4000;
    private static final int WARM_UP = 300;
    private static final int CROWD = 10;
    /// R where minibox was measured; the most it was there, which is in its favour.
    private static final double R_THERE_MILLIS = 0.34;
    private static final Pattern ID = Pattern.compile("\"id\":\"([0-9a-f]{8})\"");

    private final Path source;
    private final Scratch scratch;
    private final Meter meter;
    private final Path truth;

    /// @param clients how many ask at once
    /// @param originalMillis what minibox took, its median
    /// @param originalPerSecond what it did; 0 of one client
    private record Row(Result result, int clients, double originalMillis, double originalPerSecond) {
        String name() {
            return result.name();
        }

        double originalRatio() {
            return originalMillis / R_THERE_MILLIS;
        }
    }

    /// @param truth a static `true` that the image `host` shows
    Containers(Path source, Scratch scratch, Meter meter, Path truth) {
        this.source = source;
        this.scratch = scratch;
        this.meter = meter;
        this.truth = truth;
    }

    /// Measures, and gives what of the budget was missed.
    ///
    /// @param spawned R
    /// @param into where the results are kept, unless `quick`
    List<String> measure(Contender spawned, boolean quick, Path into) throws IOException, InterruptedException {
        var r = new Result(spawned);
        var port = scratch.bobbin(source, "containers", 16);
        var begin = "{\"image\":\"host\",\"command\":[\"" + truth + "\"]}";
        var detach = "{\"image\":\"host\",\"command\":[\"sleep\",\"1\"],\"detached\":true}";
        var lasting = Scratch.post(
                        port,
                        "/containers/run",
                        "{\"image\":\"host\",\"command\":[\"sleep\",\"100000\"],\"detached\":true}")
                .strip();
        var enter = "{\"id\":\"" + lasting + "\",\"command\":[\"" + truth + "\"]}";
        var foreground = row("run `true` in the foreground", port, "/containers/run", begin, 1, 62, 0);
        var detached = row("begin a detached one", port, "/containers/run", detach, 1, 24.5, 0);
        var entered = row("exec `true`", port, "/containers/exec", enter, 1, 2.5, 0);
        var crowd = row("run `true`, " + CROWD + " at once", port, "/containers/run", begin, CROWD, 134, 68);
        for (var row : List.of(foreground, entered)) {
            meter.measure(row.result().contender, 4, WARM_UP, 20_000, Duration.ZERO, new Meter.Samples());
            removeOthers(port, lasting);
        }
        var before = Machine.load();
        for (var round = 1; round <= (quick ? 2 : 4); round++) {
            System.err.println("compare: containers, round " + round);
            meter.measure(spawned, 1, spawned.each(), MOST_MILLIS, BETWEEN_RUNS, r.alone);
            for (var row : List.of(foreground, detached, entered, crowd)) {
                Thread.sleep(PAUSE);
                meter.measure(
                        row.result().contender,
                        row.clients(),
                        row.result().contender.each(),
                        MOST_MILLIS,
                        row.clients() > 1 ? Duration.ZERO : BETWEEN_RUNS,
                        row.result().alone);
                removeOthers(port, lasting);
            }
        }
        Scratch.post(port, "/containers/remove?id=" + lasting, "");
        var rows = List.of(foreground, detached, entered, crowd);
        var report = report(r, rows, "load average %.1f before, %.1f after".formatted(before, Machine.load()));
        System.out.println(report);
        if (!quick) {
            Files.createDirectories(into);
            Files.writeString(into.resolve("containers.md"), report);
        }
        return missed(r, rows);
    }

    private static Row row(
            String name, int port, String path, String body, int clients, double millis, double perSecond) {
        return new Row(new Result(Contender.told(name, port, path, body, 50)), clients, millis, perSecond);
    }

    /// Removes all but one.
    private static void removeOthers(int port, String lasting) throws IOException, InterruptedException {
        var ids = ID.matcher(Scratch.get(port, "/containers"));
        while (ids.find()) {
            if (!ids.group(1).equals(lasting)) {
                Scratch.post(port, "/containers/remove?id=" + ids.group(1), "");
            }
        }
    }

    private static String report(Result r, List<Row> rows, String load) throws IOException {
        var lines = new ArrayList<String>();
        lines.add("# Containers through minibox's API\n");
        lines.add("Made by `benchmarks/compare --only containers` on " + Machine.describe() + "; " + load + ".\n");
        lines.add(String.format(
                Locale.ROOT,
                "R is %.2f ms; where minibox was measured, on two processors too, at most %.2f ms.\n",
                r.p50() / 1000,
                R_THERE_MILLIS));
        lines.add("| | p50 ms | p95 ms | p50 / R | 1/s | runs | failed | minibox, p50 ms | p50 / R | 1/s |");
        lines.add("|---|---|---|---|---|---|---|---|---|---|");
        for (var row : rows) {
            var samples = row.result().alone;
            var several = row.clients() > 1;
            lines.add(String.format(
                    Locale.ROOT,
                    "| %s | %.2f | %.2f | %.1f | %s | %d | %d | %.1f | %.1f | %s |",
                    row.name(),
                    samples.micros(0.5) / 1000,
                    samples.micros(0.95) / 1000,
                    samples.micros(0.5) / r.p50(),
                    several ? String.format(Locale.ROOT, "%.0f", samples.perSecond()) : "",
                    samples.count(),
                    samples.failures(),
                    row.originalMillis(),
                    row.originalRatio(),
                    several ? String.format(Locale.ROOT, "%.0f", row.originalPerSecond()) : ""));
        }
        return String.join("\n", lines) + "\n";
    }

    /// Not slower than minibox anywhere, for a machine as fast as this one.
    private static List<String> missed(Result r, List<Row> rows) {
        var missed = new ArrayList<String>();
        for (var row : rows) {
            var samples = row.result().alone;
            Budget.atMost(missed, row.name() + ", p50 / R", samples.micros(0.5) / r.p50(), row.originalRatio());
            if (samples.failures() > 0) {
                missed.add(row.name() + ": " + samples.failures() + " failed, none allowed");
            }
        }
        return missed;
    }
}
