package dev.bobbin.benchmarks.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/// Small builds with nothing to download: one Dockerfile by Bobbin, buildah and docker, and two MiniBox blocks by
/// Bobbin. Each with a file that nobody has seen before, and again with nothing changed.
final class Building {
    private static final Duration PAUSE = Duration.ofMillis(300);
    private static final Duration BETWEEN_RUNS = Duration.ofMillis(20);
    private static final int MOST_MILLIS = 3000;
    private static final int WARM_UP = 240;
    private static final double CACHED_BLOCKS_MICROS = 10_000;

    private static final String BASE = "FROM scratch\nCOPY root /\nCMD [\"/bin/sh\"]\n";
    private static final String DOCKERFILE = """
            FROM bb
            COPY data /data
            RUN cat /data > /made
            COPY more /more
            RUN cat /made /more > /seen
            CMD ["/bin/cat", "/seen"]
            """;
    private static final String BLOCKS = """
            BASE bb
            BLOCK tools
                COPY more /data
                RUN echo SAID > /made
            BLOCK app
                NEED tools
                RUN cat /data /made > /seen
            START cat /seen
            """;
    private static final String LAST = "{number}";

    private final Path source;
    private final Scratch scratch;
    private final Meter meter;
    private final Path directory;
    private final Path context;

    /// The same build, with something new each time and with nothing new.
    private record Row(Result changed, Result cached) {
        Row(Contender changed, Contender cached) {
            this(new Result(changed), new Result(cached));
        }

        String name() {
            return cached.name();
        }
    }

    Building(Path source, Scratch scratch, Meter meter) throws IOException {
        this.source = source;
        this.scratch = scratch;
        this.meter = meter;
        this.directory = Files.createDirectory(scratch.directory().resolve("building"));
        this.context = Files.createDirectory(directory.resolve("context"));
        Files.writeString(context.resolve("Dockerfile"), DOCKERFILE);
        Files.writeString(context.resolve("data"), "the first\n");
        Files.writeString(context.resolve("more"), "more\n");
        var bin = Files.createDirectories(directory.resolve("base/root/bin"));
        Files.writeString(directory.resolve("base/Dockerfile"), BASE);
        Files.copy(Path.of("/bin/busybox"), bin.resolve("busybox"));
        for (var name : List.of("sh", "cat", "echo")) {
            Files.createSymbolicLink(bin.resolve(name), Path.of("busybox"));
        }
    }

    /// Measures, and gives what of the budget was missed.
    ///
    /// @param spawned R
    /// @param into where the results are kept, unless `quick`
    List<String> measure(Contender spawned, boolean quick, Path into) throws IOException, InterruptedException {
        var r = new Result(spawned);
        var port = scratch.bobbin(source, "builds", 16);
        Scratch.post(port, "/v1/builds?name=bb&network=none", tar(directory.resolve("base")));
        var blocks = blocks(port);
        var dockerfile = dockerfile(port);
        var rows = new ArrayList<>(List.of(dockerfile, command(), blocks));
        if (!quick) {
            rows.addAll(buildah());
            rows.addAll(docker());
        }
        for (var row : List.of(dockerfile, blocks)) {
            meter.measure(row.changed().contender, 1, WARM_UP / 3, 8_000, Duration.ZERO, new Meter.Samples());
            meter.measure(row.cached().contender, 1, WARM_UP, 8_000, Duration.ZERO, new Meter.Samples());
        }
        var before = Machine.load();
        for (var round = 1; round <= (quick ? 1 : 3); round++) {
            System.err.println("compare: builds, round " + round);
            measure(r);
            for (var row : rows) {
                measure(row.changed());
                // what the others changed last is built once, so that the next finds it
                meter.measure(row.cached().contender, 1, 1, MOST_MILLIS, Duration.ZERO, new Meter.Samples());
                measure(row.cached());
            }
        }
        var report = report(r, rows, "load average %.1f before, %.1f after".formatted(before, Machine.load()));
        System.out.println(report);
        if (!quick) {
            Files.createDirectories(into);
            Files.writeString(into.resolve("builds.md"), report);
        }
        return missed(rows, blocks);
    }

    private void measure(Result result) throws IOException, InterruptedException {
        Thread.sleep(PAUSE);
        meter.measure(result.contender, 1, result.contender.each(), MOST_MILLIS, BETWEEN_RUNS, result.alone);
    }

    private Path tar(Path tree) throws IOException, InterruptedException {
        var file = directory.resolve("context.tar");
        Scratch.run(List.of("tar", "-C", tree.toString(), "-cf", file.toString(), "."));
        return file;
    }

    /// By one HTTP request that has all files in it.
    private static Row dockerfile(int port) {
        var body = "{\"recipe\":\"" + json(DOCKERFILE) + "\",\"files\":{\"data\":\"%s\",\"more\":\"more\"}}";
        var path = "/v1/builds?name=app&network=none";
        return new Row(
                Contender.posted("", port, path, body.formatted(LAST), 25),
                Contender.posted("Bobbin, over HTTP", port, path, body.formatted("the first"), 50));
    }

    /// By the command, whose JVM has to start.
    private Row command() {
        var run = scratch.directory().resolve("builds/run");
        var bobbin = "BOBBIN_RUN_DIR=" + run + " " + source.resolve("ops/bobbin") + " build --network none -t app "
                + context + " 2>/dev/null";
        return spawned("Bobbin, `bobbin build`", 3, bobbin);
    }

    private Row blocks(int port) {
        return new Row(
                Contender.told("", port, "/containers/build", blocksBody(LAST), 25),
                Contender.told("Bobbin, two MiniBox blocks", port, "/containers/build", blocksBody("the first"), 50));
    }

    private String blocksBody(String said) {
        return "{\"image\":\"blocks\",\"minibox\":\"" + json(BLOCKS.replace("SAID", said)) + "\",\"context\":\""
                + context + "\"}";
    }

    private static String json(String text) {
        return text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
    }

    /// With runc, since crun refuses a machine with both cgroup versions.
    private List<Row> buildah() throws IOException, InterruptedException {
        if (!Scratch.isInstalled("buildah") || !Scratch.isInstalled("runc")) {
            System.err.println("compare: buildah with runc is not installed, so it is left out");
            return List.of();
        }
        var own = directory.resolve("buildah");
        var buildah = "buildah --root " + own.resolve("root") + " --runroot " + own.resolve("run")
                + " --storage-driver overlay bud -q --layers --isolation oci --runtime runc --network none";
        scratch.runAtEnd(List.of("sh", "-c", "umount -R " + own.resolve("root/overlay") + " 2>/dev/null || true"));
        Scratch.run(shell(buildah + " -t bb " + directory.resolve("base")));
        return List.of(spawned("buildah bud", 2, buildah + " -t app " + context));
    }

    private List<Row> docker() throws IOException, InterruptedException {
        if (!Scratch.isInstalled("docker") || !Scratch.isInstalled("dockerd")) {
            System.err.println("compare: docker is not installed, so it is left out");
            return List.of();
        }
        var socket = scratch.dockerd();
        if (socket.isEmpty()) {
            return List.of();
        }
        var docker = "docker -H " + socket.get() + " build -q --network none";
        Scratch.run(shell(docker + " -t bb " + directory.resolve("base")));
        return List.of(spawned("docker build", 2, docker + " -t app " + context + " 2>/dev/null"));
    }

    private Row spawned(String name, int each, String command) {
        var changes = "echo \"$0\" >" + context.resolve("data") + "; ";
        return new Row(
                Contender.spawned(
                        "",
                        each,
                        Stream.concat(shell(changes + command).stream(), Stream.of("{}"))
                                .toList()),
                Contender.spawned(name, each, shell(command)));
    }

    private static List<String> shell(String script) {
        return List.of("sh", "-c", script);
    }

    private static String report(Result r, List<Row> rows, String load) throws IOException {
        var lines = new ArrayList<String>();
        lines.add("# Building\n");
        lines.add("Made by `benchmarks/compare --only builds` on " + Machine.describe() + "; " + load + ".\n");
        lines.add(
                "One Dockerfile (busybox as its base, COPY, RUN, COPY, RUN; no network) by each, and a MiniBox file of two");
        lines.add(
                "blocks that does as much on a bridge, in turns; first with one file that was never seen before, so that what");
        lines.add(String.format(
                Locale.ROOT,
                "comes after it is not cached, then with nothing changed. R is %.2f ms. The peers keep layers.\n",
                r.p50() / 1000));
        lines.add("| | changed, p50 ms | p99 ms | p50 / R | cached, p50 ms | p99 ms | p50 / R | builds | failed |");
        lines.add("|---|---|---|---|---|---|---|---|---|");
        for (var row : rows) {
            var changed = row.changed();
            var cached = row.cached();
            lines.add(String.format(
                    Locale.ROOT,
                    "| %s | %.1f | %.1f | %.0f | %.1f | %.1f | %.0f | %d | %d |",
                    row.name(),
                    changed.p50() / 1000,
                    changed.p99() / 1000,
                    changed.p50() / r.p50(),
                    cached.p50() / 1000,
                    cached.p99() / 1000,
                    cached.p50() / r.p50(),
                    changed.alone.count() + cached.alone.count(),
                    changed.failures() + cached.failures()));
        }
        lines.add(
                "\nFor comparison, measured elsewhere where R was 0.23 to 0.34 ms: minibox, two blocks, 60 to 70 ms first");
        lines.add("and 21 ms cached.");
        return String.join("\n", lines) + "\n";
    }

    private static List<String> missed(List<Row> rows, Row blocks) {
        var missed = new ArrayList<String>();
        Budget.atMost(
                missed,
                "two cached blocks, p50 in microseconds",
                blocks.cached().p50(),
                CACHED_BLOCKS_MICROS);
        var failures = rows.stream()
                .mapToLong(row -> row.changed().failures() + row.cached().failures())
                .sum();
        if (failures > 0) {
            missed.add("builds that failed: " + failures + ", none allowed");
        }
        return missed;
    }
}
