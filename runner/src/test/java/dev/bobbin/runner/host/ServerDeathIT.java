package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.BuildEvent;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.SandboxState;
import dev.bobbin.runner.Stdin;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A server that is killed with SIGKILL, and the one that comes after it. `-Dbobbin.seed=` repeats the moments.
@Timeout(180)
class ServerDeathIT {
    private static final int SIGTERM = 15;
    private static final int COUNTING = 50;

    @Test
    void sandboxesAndTheirExecsOutliveIt() throws Exception {
        var root = Files.createTempDirectory("bobbin-death");
        var jobs = liveSteadilyAndDie(root);
        TimeUnit.MILLISECONDS.sleep(200);
        try (var host = TestHost.open(0, root)) {
            var ids = Files.readAllLines(jobs).stream()
                    .map(line -> JobId.parse(line).orElseThrow())
                    .toList();
            Files.delete(jobs);
            var counting = TestHost.Result.of(host.runtime().find(ids.get(1)).orElseThrow());
            assertThat(counting.stdout().lines().toList())
                    .isEqualTo(
                            IntStream.range(0, 600).mapToObj(i -> "line " + i).toList());
            assertThat(counting.exitCode()).isEqualTo(42);
            var ended = TestHost.Result.of(host.runtime().find(ids.get(0)).orElseThrow());
            assertThat(ended.stdout()).isEqualTo("done\n");
            assertThat(ended.ending().outcome()).isEqualTo(new Outcome.Exited(9));
            var steady = host.runtime().sandboxes().find("default", "steady").orElseThrow();
            assertThat(steady.state()).isEqualTo(SandboxState.RUNNING);
            assertThat(host.sh(steady, "cat /root/file; head -c 5 /etc/passwd").stdout())
                    .isEqualTo("before\nroot:");
            assertThat(steady.restart(SIGTERM, Duration.ofSeconds(1))).isEmpty();
            assertThat(host.sh(steady, "cat /root/file").stdout()).isEqualTo("before\n");
            var stopped = host.runtime().sandboxes().find("default", "stopped").orElseThrow();
            assertThat(stopped.state()).isEqualTo(SandboxState.STOPPED);
            assertThat(stopped.ending().orElseThrow().outcome()).isEqualTo(new Outcome.Cancelled("api"));
            assertThat(stopped.start()).isEmpty();
            assertThat(host.sh(stopped, "cat /root/file; id -u").stdout()).isEqualTo("asleep\n0\n");
        }
    }

    @Test
    void aSandboxWhosePidOneWasKilledStartsAgain() throws Exception {
        var root = Files.createTempDirectory("bobbin-reboot");
        var jobs = liveSteadilyAndDie(root);
        Files.delete(jobs);
        try (var host = TestHost.open(0, root)) {
            var before = host.runtime().sandboxes().find("default", "steady").orElseThrow();
            var pid = host.pidOne(before.execs().getFirst());
            ProcessHandle.of(pid).orElseThrow().destroyForcibly();
            before.own().orElseThrow().await();
            for (var i = 0; i < 200 && before.state() != SandboxState.STOPPED; i++) {
                TimeUnit.MILLISECONDS.sleep(25);
            }
            assertThat(before.ending().orElseThrow().outcome()).isEqualTo(new Outcome.Killed(9, "host"));
            assertThat(before.start()).isEmpty();
            assertThat(host.sh(before, "cat /root/file").stdout()).isEqualTo("before\n");
        }
    }

    @Test
    void sandboxesAreStoppedAndStartAgainAfterAReboot() throws Exception {
        var root = Files.createTempDirectory("bobbin-reboot");
        var jobs = liveSteadilyAndDie(root);
        var counting = JobId.parse(Files.readAllLines(jobs).get(1)).orElseThrow();
        Files.delete(jobs);
        Leftovers.of(root.resolve("run")).killEverything();
        try (var left = Files.walk(root.resolve("run"))) {
            for (var file : left.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
        try (var host = TestHost.open(0, root)) {
            var sandbox = host.runtime().sandboxes().find("default", "steady").orElseThrow();
            assertThat(sandbox.state()).isEqualTo(SandboxState.STOPPED);
            assertThat(sandbox.ending().orElseThrow().outcome()).isEqualTo(new Outcome.HostLost());
            assertThat(host.runtime()
                            .find(counting)
                            .orElseThrow()
                            .ending()
                            .orElseThrow()
                            .outcome())
                    .isEqualTo(new Outcome.HostLost());
            assertThat(sandbox.start()).isEmpty();
            assertThat(host.sh(sandbox, "cat /root/file").stdout()).isEqualTo("before\n");
        }
    }

    @Test
    void sandboxesGoOnAndStartAgainWhenTheNurseryWasKilled() throws Exception {
        try (var host = TestHost.open(0)) {
            var running = host.place().create();
            var stopped = host.place().create();
            host.sh(stopped, "echo kept > /root/file");
            stopped.stop(SIGTERM, Duration.ofSeconds(1));
            var exec = host.exec(running, "sh", "-c", "sleep 0.5; echo through").start();
            Leftovers.of(host.runDir()).killNursery();
            assertThat(TestHost.Result.of(exec).stdout()).isEqualTo("through\n");
            assertThat(host.sh(running, "echo still").stdout()).isEqualTo("still\n");
            for (var i = 0; i < 100 && stopped.start().isPresent(); i++) {
                TimeUnit.MILLISECONDS.sleep(50);
            }
            assertThat(host.sh(stopped, "cat /root/file").stdout()).isEqualTo("kept\n");
            assertThat(running.restart(SIGTERM, Duration.ofSeconds(1))).isEmpty();
        }
    }

    @Test
    void serversGoOnWithWhatAnEarlierBuildOfTheInitRuns() throws Exception {
        var root = Files.createTempDirectory("bobbin-upgrade");
        var ids = new ArrayList<JobId>();
        try (var before = TestHost.openBefore(root)) {
            var running = before.place().name("running").create();
            before.sh(running, "echo kept > /root/file");
            var other = before.place("sleep", "60").name("other").create();
            assertThat(other.state()).isEqualTo(SandboxState.RUNNING);
            before.place().name("stopped").create().stop(SIGTERM, Duration.ofSeconds(1));
            ids.add(before.exec(running, "sh", "-c", "sleep 2; echo through; exit 3")
                    .onDisconnect(Job.OnDisconnect.CONTINUE)
                    .start()
                    .id());
            ids.add(before.request("sh", "-c", "echo begun; cat; exit 4")
                    .stdin(new Stdin.Open())
                    .onDisconnect(Job.OnDisconnect.CONTINUE)
                    .start()
                    .id());
        }
        try (var host = TestHost.open(0, root)) {
            var run = host.runtime().find(ids.get(1)).orElseThrow();
            run.feed(0, "fed\n".getBytes(StandardCharsets.US_ASCII), true);
            assertThat(TestHost.Result.of(run).stdout()).isEqualTo("begun\nfed\n");
            assertThat(run.await().outcome()).isEqualTo(new Outcome.Exited(4));
            var exec = TestHost.Result.of(host.runtime().find(ids.get(0)).orElseThrow());
            assertThat(exec.stdout()).isEqualTo("through\n");
            assertThat(exec.exitCode()).isEqualTo(3);
            var running = host.runtime().sandboxes().find("default", "running").orElseThrow();
            assertThat(host.sh(running, "cat /root/file").stdout()).isEqualTo("kept\n");
            assertThat(running.restart(SIGTERM, Duration.ofSeconds(1))).isEmpty();
            assertThat(host.sh(running, "cat /root/file").stdout()).isEqualTo("kept\n");
            var stopped = host.runtime().sandboxes().find("default", "stopped").orElseThrow();
            assertThat(stopped.start()).isEmpty();
            assertThat(host.sh(stopped, "echo up").stdout()).isEqualTo("up\n");
        }
    }

    @Test
    void nothingIsLeftUnownedWhateverItWasDoing() throws Exception {
        var seed = Long.getLong("bobbin.seed", System.nanoTime());
        System.out.println("seed " + seed);
        var random = new Random(seed);
        var root = Files.createTempDirectory("bobbin-busy");
        for (var round = 0; round < Integer.getInteger("bobbin.deaths", 4); round++) {
            var doomed = doomed(root, "busy", Long.toString(random.nextLong()));
            var record = root.resolve("data/sandboxes");
            for (var i = 0; i < 600 && !hasEntries(record); i++) {
                assertThat(doomed.isAlive()).isTrue();
                TimeUnit.MILLISECONDS.sleep(20);
            }
            TimeUnit.MILLISECONDS.sleep(random.nextInt(700));
            kill(doomed);
            try (var host = TestHost.open(0, root, round + 1 == Integer.getInteger("bobbin.deaths", 4))) {
                for (var sandbox : host.runtime().sandboxes().list()) {
                    assertThat(sandbox.start())
                            .as(sandbox.name() + " seed " + seed)
                            .isEmpty();
                    assertThat(host.sh(sandbox, "echo alive").stdout()).isEqualTo("alive\n");
                    sandbox.stop(SIGTERM, Duration.ofSeconds(1));
                }
            }
        }
    }

    /// Fifty sandboxes print numbered lines, each with a hash, while servers die; every reader has every line once. Six
    /// of them unless `-Dbobbin.kills=` says otherwise.
    @Test
    void noLineIsLostOrDoubledHoweverOftenItDies() throws Exception {
        var seed = Long.getLong("bobbin.seed", System.nanoTime());
        System.out.println("seed " + seed);
        var random = new Random(seed);
        var root = Files.createTempDirectory("bobbin-count");
        var kept = Files.createDirectories(root.resolve("data/kept"));
        for (var death = 0; death < Integer.getInteger("bobbin.kills", 6); death++) {
            var doomed = doomed(root, "counting", Integer.toString(COUNTING));
            TimeUnit.MILLISECONDS.sleep(300 + random.nextInt(2200));
            assertThat(doomed.isAlive())
                    .as("the server dies only of us, seed " + seed)
                    .isTrue();
            kill(doomed);
        }
        try (var host = TestHost.open(0, root);
                var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            var all = new ArrayList<Future<Integer>>();
            var stops = new ArrayList<Future<Optional<Refusal>>>();
            for (var number = 0; number < COUNTING; number++) {
                var counting = new Counting(number, kept);
                var execution = counting.in(host);
                var from = random.nextLong();
                all.add(tasks.submit(() -> readThreefold(counting, execution, new Random(from))));
            }
            TimeUnit.MILLISECONDS.sleep(500);
            for (var sandbox : host.runtime().sandboxes().list()) {
                if (sandbox.execs().isEmpty()) {
                    stops.add(tasks.submit(() -> sandbox.stop(SIGTERM, Duration.ofSeconds(20))));
                } else {
                    sandbox.execs().getFirst().signal(SIGTERM);
                }
            }
            for (var stop : stops) {
                assertThat(stop.get()).isEmpty();
            }
            var lines = 0L;
            for (var reading : all) {
                lines += reading.get();
            }
            System.out.println(lines + " lines, each read by its readers");
        }
    }

    /// By the client that was killed too, by one that begins anew, and by one that goes on from somewhere.
    private static int readThreefold(Counting counting, Execution execution, Random random) throws Exception {
        counting.reading().goOn(execution);
        var text = counting.reading().text();
        var lines = counting.check(text);
        var ending = execution.ending().orElseThrow();
        assertThat(ending.outcome()).as(counting.name()).isEqualTo(new Outcome.Exited(42));
        assertThat(ending.stdout().bytes()).isEqualTo(text.length());
        if (!counting.waits()) {
            assertThat(TestHost.Result.of(execution).stdout()).isEqualTo(text);
            var place = counting.reading().anywhere(random);
            var rest = new ByteArrayOutputStream();
            execution.read(place.at(), true, output -> {
                if (output instanceof Output.Bytes bytes) {
                    rest.writeBytes(bytes.copy());
                }
            });
            assertThat(rest.toString(StandardCharsets.US_ASCII)).isEqualTo(text.substring(place.bytes()));
        }
        return lines;
    }

    /// @return a file with the ids of jobs
    private static Path liveSteadilyAndDie(Path root) throws Exception {
        var doomed = doomed(root, "steady");
        var jobs = root.resolve("jobs");
        for (var i = 0; i < 600 && !Files.exists(jobs); i++) {
            assertThat(doomed.isAlive()).isTrue();
            TimeUnit.MILLISECONDS.sleep(50);
        }
        kill(doomed);
        return jobs;
    }

    private static boolean hasEntries(Path directory) throws Exception {
        if (!Files.exists(directory)) {
            return false;
        }
        try (var entries = Files.list(directory)) {
            return entries.findAny().isPresent();
        }
    }

    @Test
    void aBuildThatDiedWithItLeavesNothing() throws Exception {
        var root = Files.createTempDirectory("bobbin-building");
        assertThat(dies(root, "building")).isEqualTo("building");
        try (var host = TestHost.open(0, root)) {
            assertThat(names(root.resolve("data/builds/scratch"))).isEmpty();
            var builds = new TestBuilds(host);
            var secrets = Map.of("s", "hidden".getBytes(StandardCharsets.US_ASCII));
            var again = builds.of("unfinished", DoomedServer.UNFINISHED.formatted("cat /c/x"))
                    .secrets(secrets)
                    .build()
                    .succeeded();
            assertThat(again.steps(BuildEvent.Kind.CACHED)).hasSize(1);
            assertThat(again.output()).as("its cache stayed").isEqualTo("[0.2] begun\n[0.2] x\n");
            for (var tries = 0; tries < 200 && !unowned(root).isEmpty(); tries++) {
                TimeUnit.MILLISECONDS.sleep(50);
            }
            assertThat(unowned(root)).isEmpty();
        }
    }

    /// What neither a journal nor the server itself nor the one mounted cache is.
    private static List<String> unowned(Path root) throws Exception {
        var all = new ArrayList<>(names(root.resolve("data/sandboxes")));
        all.removeIf(name -> name.endsWith(".journal") || name.equals("events") || name.equals("keys"));
        var volumes = new ArrayList<>(names(root.resolve("data/volumes")));
        volumes.removeIf(name -> name.equals(".trash"));
        all.addAll(volumes.subList(Math.min(1, volumes.size()), volumes.size()));
        return all;
    }

    @Test
    void anotherProcessBuildsTheSameImageOfTheSameInput() throws Exception {
        var root = Files.createTempDirectory("bobbin-same");
        var digest = root.resolveSibling(root.getFileName() + ".digest");
        var other = doomed(root, "build");
        try (var host = TestHost.open(0)) {
            var here = TestBuilds.digestOfMuch(host);
            assertThat(other.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(other.exitValue()).isZero();
            assertThat(Files.readString(digest)).isEqualTo(here);
        } finally {
            other.destroyForcibly();
            Files.deleteIfExists(digest);
        }
    }

    private static List<String> names(Path directory) throws Exception {
        try (var all = Files.list(directory)) {
            return all.map(file -> String.valueOf(file.getFileName())).sorted().toList();
        }
    }

    private static Process doomed(Path root, String... arguments) throws Exception {
        var command = new ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1"));
        var init = System.getProperty("bobbin.test.init");
        if (init != null) {
            command.add("-Dbobbin.test.init=" + init);
        }
        command.addAll(
                List.of("-cp", System.getProperty("java.class.path"), DoomedServer.class.getName(), root.toString()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    /// Lets a [DoomedServer] work in `root` until it says `ready`, and kills it.
    ///
    /// @return what it said
    static String dies(Path root, String... arguments) throws Exception {
        var server = doomed(root, arguments);
        var ready = root.resolve("ready");
        while (Files.notExists(ready)) {
            assertThat(server.isAlive()).isTrue();
            TimeUnit.MILLISECONDS.sleep(20);
        }
        kill(server);
        var said = Files.readString(ready);
        Files.delete(ready);
        return said;
    }

    private static void kill(Process server) throws Exception {
        server.destroyForcibly();
        assertThat(server.waitFor(10, TimeUnit.SECONDS)).isTrue();
    }
}
