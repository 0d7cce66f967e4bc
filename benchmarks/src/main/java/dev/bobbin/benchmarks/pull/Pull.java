package dev.bobbin.benchmarks.pull;

import dev.bobbin.benchmarks.compare.Machine;
import dev.bobbin.benchmarks.compare.Scratch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Compares how fast images come from a registry; `benchmarks/pull --help` says how. Takes a few minutes and stops by
/// itself.
public final class Pull {
    private static final String USAGE = """
            usage: benchmarks/pull [--install-peers] [--check] [--rounds N] [--only-bobbin]
              --install-peers  first installs podman, skopeo, umoci, docker.io and docker-registry from Debian
              --check          exits 1 if Bobbin is not faster than each peer, asks a registry twice, or starts jobs
                               slower in a large image
              --rounds N       how often each pulls, 5 unless said; one more is not counted
              --only-bobbin    leaves the peers out; writes nothing
            Writes benchmarks/results/pull.md. Needs root, docker-registry, skopeo, busybox-static and a JDK 25.""";
    private static final Duration PAUSE = Duration.ofMillis(300);
    private static final int GIBIBYTES = 16;
    private static final int CLIENTS = 16;
    private static final int STARTS = 400;
    private static final int WARM_UP_STARTS = 200;

    private final LocalRegistry registry;
    private final SampleImage large;
    private final SampleImage small;
    private final BobbinServer bobbin;
    private final List<Times> all = new ArrayList<>();

    private Pull(Path source, Scratch scratch, boolean withPeers) throws IOException, InterruptedException {
        this.registry = LocalRegistry.start(scratch);
        this.large = SampleImage.large(scratch, registry);
        this.small = SampleImage.small(scratch, registry);
        this.bobbin = new BobbinServer(source, scratch);
        all.add(new Times(bobbin));
        if (withPeers) {
            new Peers(scratch).installed().forEach(peer -> all.add(new Times(peer)));
        }
    }

    /// Takes the root of the source tree, then flags.
    public static void main(String[] arguments) throws IOException, InterruptedException, ExecutionException {
        var flags = new ArrayList<>(List.of(arguments).subList(1, arguments.length));
        var check = flags.remove("--check");
        var install = flags.remove("--install-peers");
        var alone = flags.remove("--only-bobbin");
        var rounds = 5;
        if (flags.size() == 2
                && flags.getFirst().equals("--rounds")
                && flags.getLast().matches("[1-9][0-9]?")) {
            rounds = Integer.parseInt(flags.getLast());
            flags.clear();
        }
        if (!flags.isEmpty()) {
            System.err.println(USAGE);
            System.exit(2);
        }
        if (install) {
            Peers.install();
        }
        var source = Path.of(arguments[0]);
        var findings = new Findings();
        String text;
        try (var scratch = new Scratch()) {
            scratch.useFileSystemOfItsOwn(GIBIBYTES);
            var pull = new Pull(source, scratch, !alone);
            try (var _ = pull.bobbin) {
                pull.race(rounds, findings);
                pull.share(findings);
                pull.start(findings);
                text = findings.markdown(pull.large, pull.all, rounds);
            }
        }
        System.out.print(text);
        if (!alone) {
            Files.writeString(source.resolve("benchmarks/results/pull.md"), text);
        }
        System.exit(check && !findings.met() ? 1 : 0);
    }

    /// All in turns, the order another one each round. The first round is not counted.
    private void race(int rounds, Findings findings) throws IOException, InterruptedException {
        findings.loadBefore = Machine.load();
        var order = new ArrayList<>(all);
        for (var round = 0; round <= rounds; round++) {
            System.err.println("pull: round " + round + " of " + rounds);
            for (var times : order) {
                Scratch.run(List.of("sync"));
                Thread.sleep(PAUSE);
                var begin = System.nanoTime();
                times.puller.pull(large.name());
                var ready = System.nanoTime();
                Scratch.run(List.of("sync"));
                var onDisk = System.nanoTime();
                times.puller.forget(large.name());
                if (round > 0) {
                    times.ready.add((ready - begin) / 1e9);
                    times.onDisk.add((onDisk - begin) / 1e9);
                }
            }
            Collections.rotate(order, 1);
        }
        findings.loadAfter = Machine.load();
    }

    /// How often the registry is asked for content by many who pull at once, and by one more.
    private void share(Findings findings) throws IOException, InterruptedException, ExecutionException {
        var before = registry.blobRequests();
        try (var threads = Executors.newFixedThreadPool(CLIENTS)) {
            var pulls = new ArrayList<Future<?>>();
            for (var client = 0; client < CLIENTS; client++) {
                pulls.add(threads.submit(() -> {
                    bobbin.pull(large.name());
                    return null;
                }));
            }
            for (var pull : pulls) {
                pull.get();
            }
        }
        var between = registry.blobRequests();
        bobbin.pull(large.name());
        findings.byCrowd = between - before;
        findings.byOne = large.layers() + 1L;
        findings.bySecond = registry.blobRequests() - between;
    }

    /// Jobs in the large image and in the small one, in turns.
    private void start(Findings findings) throws IOException, InterruptedException {
        bobbin.pull(small.name());
        try (var jobs = bobbin.jobs()) {
            for (var run = 0; run < WARM_UP_STARTS + STARTS; run++) {
                Thread.sleep(5);
                var inLarge = jobs.time(large.name());
                Thread.sleep(5);
                var inSmall = jobs.time(small.name());
                if (run >= WARM_UP_STARTS) {
                    findings.startsLarge.add(inLarge / 1e6);
                    findings.startsSmall.add(inSmall / 1e6);
                }
            }
        }
    }

    /// The seconds that one took.
    static final class Times {
        final Puller puller;
        final List<Double> ready = new ArrayList<>();
        final List<Double> onDisk = new ArrayList<>();

        Times(Puller puller) {
            this.puller = puller;
        }
    }
}
