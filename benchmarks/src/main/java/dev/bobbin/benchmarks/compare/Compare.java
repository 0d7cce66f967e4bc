package dev.bobbin.benchmarks.compare;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Compares Bobbin with its peers; `benchmarks/compare --help` says how. Takes a few minutes and stops by itself.
public final class Compare {
    private static final String USAGE = """
            usage: benchmarks/compare [--install-peers] [--check] [--quick] [--only starts|builds|containers]
              --install-peers  first installs bubblewrap, crun, runc, podman, docker.io, buildah and busybox-static
              --check          exits 1 if the budget of the design is not met
              --quick          Bobbin and bubblewrap only, fewer rounds; writes nothing
              --only PART      starts of true, builds of images, or containers through the API of minibox
            Writes comparison.md and comparison.svg, builds.md and containers.md to benchmarks/results.
            Needs root, cc, busybox-static and a JDK 25.""";
    private static final Set<String> FLAGS = Set.of("--install-peers", "--check", "--quick");
    private static final List<String> PARTS = List.of("starts", "builds", "containers");
    private static final Duration PAUSE = Duration.ofMillis(300);
    private static final Duration BETWEEN_RUNS = Duration.ofMillis(5);
    private static final int ROUNDS = 4;
    private static final int MOST_MILLIS = 4000;
    private static final int CROWD_MILLIS = 1500;
    private static final int WARM_UP = 10_000;

    private final Path source;
    private final Scratch scratch;
    private final Meter meter;
    private final Path truth;

    private Compare(Path source, Scratch scratch) throws IOException, InterruptedException {
        this.source = source;
        this.scratch = scratch;
        var native_ = source.resolve("benchmarks/src/main/c");
        this.truth = scratch.compile(native_.resolve("true.c"), "true");
        this.meter = new Meter(scratch.compile(native_.resolve("meter.c"), "meter"));
    }

    /// Takes the root of the source tree, then flags.
    public static void main(String[] arguments) throws IOException, InterruptedException {
        var flags = new ArrayList<>(List.of(arguments).subList(1, arguments.length));
        var only = flags.indexOf("--only");
        var parts = PARTS;
        if (only >= 0 && only + 1 < flags.size()) {
            parts = List.of(flags.remove(only + 1));
            flags.remove(only);
        }
        if (!FLAGS.containsAll(flags) || !PARTS.containsAll(parts)) {
            System.err.println(USAGE);
            System.exit(2);
        }
        if (flags.contains("--install-peers")) {
            Peers.install();
        }
        int status;
        try (var scratch = new Scratch()) {
            var missed = new Compare(Path.of(arguments[0]), scratch).compare(parts, flags.contains("--quick"));
            status = flags.contains("--check") ? judge(missed) : 0;
        }
        System.exit(status);
    }

    /// What of the budget was missed.
    private List<String> compare(List<String> parts, boolean quick) throws IOException, InterruptedException {
        // The image `host` shows /usr, so a static program beneath it is one file of that image like any other.
        var inside = scratch.place(
                truth,
                Path.of("/usr/local/bin/bobbin-compare-true-"
                        + ProcessHandle.current().pid()));
        var spawned = Contender.spawned("R", 100, List.of(truth.toString()));
        var missed = new ArrayList<String>();
        for (var part : parts) {
            missed.addAll(
                    switch (part) {
                        case "starts" -> starts(spawned, inside, quick);
                        case "builds" -> new Building(source, scratch, meter).measure(spawned, quick, results());
                        default -> new Containers(source, scratch, meter, inside).measure(spawned, quick, results());
                    });
        }
        return missed;
    }

    private Path results() {
        return source.resolve("benchmarks/results");
    }

    private List<String> starts(Contender spawned, Path inside, boolean quick)
            throws IOException, InterruptedException {
        var r = new Result(spawned);
        var parkedPort = scratch.bobbin(source, "parked", 16);
        var emptyPort = scratch.bobbin(source, "empty", 0);
        var parked = new Result(Contender.served("Bobbin, parked", parkedPort, inside.toString(), true));
        var empty = new Result(Contender.served("Bobbin, pool empty", emptyPort, inside.toString(), true));
        var dynamic = new Result(Contender.served("Bobbin, parked, dynamic true", parkedPort, "/usr/bin/true", false));
        scratch.sandbox(parkedPort, "compare");
        var entered = new Result(Contender.entered("Bobbin, exec", parkedPort, "compare", inside.toString()));
        var results = new ArrayList<>(List.of(r, parked, empty, dynamic, entered));
        for (var peer : new Peers(scratch, truth).installed()) {
            if (!quick || peer.name().equals("bubblewrap")) {
                results.add(new Result(peer));
            }
        }
        for (var server : List.of(parked, empty, entered)) {
            meter.measure(server.contender, 8, WARM_UP, 15 * MOST_MILLIS, Duration.ZERO, new Meter.Samples());
        }
        var loadBefore = Machine.load();
        for (var round = 1; round <= (quick ? 3 : ROUNDS); round++) {
            System.err.println("compare: round " + round);
            for (var result : results) {
                Thread.sleep(PAUSE);
                var each = result.contender.each();
                meter.measure(result.contender, 1, each, MOST_MILLIS, BETWEEN_RUNS, result.alone);
                Thread.sleep(PAUSE);
                meter.measure(result.contender, 1, each, MOST_MILLIS, Duration.ZERO, result.unpaused);
            }
            for (var result : results) {
                if (result.contender.parallel() && round % 2 == 1) {
                    Thread.sleep(PAUSE);
                    meter.measure(result.contender, 16, 100_000, CROWD_MILLIS, Duration.ZERO, result.by16);
                    Thread.sleep(PAUSE);
                    meter.measure(result.contender, 32, 100_000, CROWD_MILLIS, Duration.ZERO, result.by32);
                }
            }
        }
        var load = "load average %.1f before, %.1f after".formatted(loadBefore, Machine.load());
        var report = new Report(results, Machine.describe(), load);
        System.out.println(report.markdown());
        if (!quick) {
            report.write(results());
        }
        var bubblewrap = results.stream()
                .filter(result -> result.name().equals("bubblewrap"))
                .findFirst();
        return Budget.missed(r, parked, empty, entered, bubblewrap);
    }

    private static int judge(List<String> missed) {
        missed.forEach(row -> System.out.println("not met: " + row));
        System.out.println(missed.isEmpty() ? "the budget is met" : missed.size() + " rows of the budget are not met");
        return missed.isEmpty() ? 0 : 1;
    }
}
