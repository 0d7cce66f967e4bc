package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Ending;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.sandbox.SandboxFiles;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/// Jobs that mean harm, or act as if they did. Beside each of them a neighbour starts `true` again and again; every one
/// of these must succeed, and half of them must be done within a few times what they take alone. After each the heap is
/// as small as before and nothing of the job is left. What was seen is printed as lines of a table.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(60)
class HostileJobsIT {
    private static final int MIB = 1 << 20;
    private static final int PROCESSES = 200;
    private static final Duration TIME = Duration.ofMillis(700);
    /// How many times slower than a real machine an emulated one may be (`src/test/v2`).
    private static final int PATIENCE = Integer.getInteger("bobbin.test.patience", 1);
    /// What ending a job may take after its limit of time, on a machine that tests elsewhere meanwhile.
    private static final Duration TO_END = Duration.ofSeconds(5L * PATIENCE);

    private static final long GIB = 1L << 30;
    /// How much longer a neighbour's start may take beside such a job than alone, by the medians of one run: without
    /// what keeps the two apart it is a hundred times and more. The percentiles of the design's budget are measured
    /// by `benchmarks/neighbours`.
    private static final int TIMES_ALONE = 10;

    private static final int STARTS_FOR_A_MEDIAN = 10;

    private final List<String> table = Collections.synchronizedList(new ArrayList<>());
    private TestHost host;
    private Neighbour neighbour;
    private Leftovers.Live before;
    private long heapBefore;
    private long aloneNanos;

    @BeforeAll
    void open() throws Exception {
        host = TestHost.open(4);
        for (var warm = 0; warm < 50; warm++) {
            host.request("true").run();
        }
        neighbour = new Neighbour();
        TimeUnit.SECONDS.sleep(1);
        aloneNanos = percentile(neighbour.stop(), 50);
    }

    @AfterAll
    void close() throws Exception {
        host.close();
        System.out.println("HostileJobsIT: job | cause | evidence | ms to end | neighbour's starts p50/p99 ms");
        table.forEach(System.out::println);
    }

    @BeforeEach
    void listen() throws Exception {
        heapBefore = heapBytes();
        before = host.live();
        neighbour = new Neighbour();
    }

    @AfterEach
    void nothingIsLeft(TestInfo test) throws Exception {
        var starts = neighbour.stop();
        assertThat(neighbour.failures).as("starts of the neighbour").isEmpty();
        assertThat(starts).as("starts of the neighbour").isNotEmpty();
        if (!table.isEmpty()) {
            var last = table.size() - 1;
            table.set(
                    last,
                    table.get(last) + " | " + millis(percentile(starts, 50)) + "/" + millis(percentile(starts, 99)));
        }
        if (starts.size() >= STARTS_FOR_A_MEDIAN) {
            assertThat(percentile(starts, 50)).as("a neighbour's start").isLessThan(TIMES_ALONE * aloneNanos);
        }
        before.assertNothingMore(TO_END);
        assertThat(heapBytes() - heapBefore).as("growth of the heap").isLessThan(32L * MIB);
    }

    @Test
    void printsAGibibyteOnOneLineThatIsRead() throws Exception {
        var execution = probe("spew", String.valueOf(GIB))
                .limits(limits(16, 64, Duration.ofSeconds(40L * PATIENCE)))
                .output(8 * MIB, Job.OutputPolicy.BLOCK)
                .start();
        var crc = new CRC32C();
        var most = new long[1];
        var seen = new ArrayList<Output.Gap>();
        var ending = watch("1 GiB on one line, block", execution, output -> {
            switch (output) {
                case Output.Bytes bytes -> {
                    crc.update(bytes.copy());
                    if (bytes.offset() % (64 * MIB) < bytes.length()) {
                        most[0] = Math.max(most[0], bytesOnDisk(execution));
                    }
                }
                case Output.Gap gap -> seen.add(gap);
                default -> {}
            }
        });
        assertThat(ending.outcome()).isEqualTo(new Outcome.Exited(0));
        assertThat(seen).isEmpty();
        assertThat(ending.stdout().bytes()).isEqualTo(GIB);
        assertThat(ending.stdout().crc32c()).isEqualTo((int) crc.getValue());
        assertThat(most[0]).as("the journal's disk").isLessThan(24L * MIB);
    }

    @Test
    void printsAGibibyteThatNobodyReads() throws Exception {
        var execution = probe("spew", String.valueOf(GIB))
                .limits(limits(16, 64, Duration.ofSeconds(40L * PATIENCE)))
                .output(4 * MIB, Job.OutputPolicy.DROP)
                .start();
        var ending = watch("1 GiB on one line, drop", execution);
        assertThat(ending.outcome()).isEqualTo(new Outcome.Exited(0));
        assertThat(ending.stdout().bytes()).isEqualTo(GIB);
        assertThat(bytesOnDisk(execution)).as("the journal's disk").isLessThan(5L * MIB);
        var gaps = new ArrayList<Output.Gap>();
        var read = new long[1];
        var after = host.runtime().find(execution.id()).orElseThrow();
        after.streamTo(output -> {
            switch (output) {
                case Output.Gap gap -> gaps.add(gap);
                case Output.Bytes bytes -> {
                    read[0] += bytes.length();
                    assertThat(bytes.copy()).doesNotContain((byte) 0);
                }
                default -> {}
            }
        });
        // one gap behind what the server still had in memory, or none before the first that is left
        assertThat(gaps).hasSize(1);
        assertThat(read[0] + gaps.getFirst().bytes()).isEqualTo(GIB);
        assertThat(read[0]).isBetween(3L * MIB, 5L * MIB);
        assertThat(ending.usage().droppedBytes()).isBetween(GIB - 5L * MIB, GIB - 3L * MIB);
    }

    @Test
    void losesItsPreferenceWhenItPrintsMuch() throws Exception {
        var execution = probe("spew", String.valueOf(64 * GIB))
                .output(MIB, Job.OutputPolicy.DROP)
                .time(TIME.multipliedBy(PATIENCE))
                .start();
        awaitOutput(execution);
        var memberships = Path.of("/proc/" + host.pidOne(execution) + "/cgroup");
        var bulk = false;
        while (!bulk && execution.ending().isEmpty()) {
            try (var lines = Files.lines(memberships)) {
                bulk = lines.anyMatch(line -> line.endsWith("/bulk"));
            } catch (java.io.IOException | java.io.UncheckedIOException _) {
                // it has ended
            }
        }
        assertThat(watch("prints for ever, drop", execution).outcome()).isEqualTo(new Outcome.TimedOut("time"));
        assertThat(bulk).as("PID 1 is in the cgroup of those that pump much").isTrue();
    }

    @Test
    void printsMoreThanItMay() throws Exception {
        var ending = watch(
                "prints for ever, kill",
                probe("spew", String.valueOf(64 * GIB))
                        .output(8 * MIB, Job.OutputPolicy.KILL)
                        .start());
        assertThat(ending.outcome()).isEqualTo(new Outcome.OutputLimit());
        assertThat(ending.stdout().bytes()).isEqualTo(8 * MIB);
    }

    @Test
    void printsForEverAndNobodyReads() throws Exception {
        var ending = watch(
                "prints for ever, block, no reader",
                probe("spew", String.valueOf(64 * GIB))
                        .output(MIB, Job.OutputPolicy.BLOCK)
                        .time(TIME)
                        .start());
        assertThat(ending.outcome()).isEqualTo(new Outcome.TimedOut("time"));
        assertThat(ending.stdout().bytes()).isLessThan(3L * MIB);
    }

    @Test
    void dripsIntoAJournalThatForgets() throws Exception {
        var execution =
                probe("drip", "30000").output(8192, Job.OutputPolicy.DROP).start();
        var ending = watch("30,000 writes of one byte, drop", execution);
        assertThat(ending.outcome()).isEqualTo(new Outcome.Exited(0));
        assertThat(ending.stdout().bytes()).isEqualTo(30_000);
        assertThat(ending.usage().droppedBytes()).isPositive();
    }

    @Test
    void printsBytesThatAreNoText() throws Exception {
        var ending = watch(
                "8 MiB of random bytes",
                sh("head -c 8388608 /dev/urandom")
                        .output(64 * MIB, Job.OutputPolicy.KILL)
                        .start());
        assertThat(ending.outcome()).isEqualTo(new Outcome.Exited(0));
        assertThat(ending.stdout().bytes()).isEqualTo(8 * MIB);
    }

    @Test
    void neverEnds() throws Exception {
        var ending =
                watch("spins for ever", sh("while :; do :; done").time(TIME).start());
        assertThat(ending.outcome()).isEqualTo(new Outcome.TimedOut("time"));
    }

    @Test
    void spinsWithATenthOfAProcessor() throws Exception {
        var little = new Limits(64 * MIB, 0.1, 64, TIME, MIB, MIB);
        var ending = watch(
                "spins, 0.1 cpus", sh("while :; do :; done").limits(little).start());
        assertThat(ending.outcome()).isEqualTo(new Outcome.TimedOut("time"));
        assertThat(ending.usage().throttledPeriods()).isPositive();
        assertThat(ending.usage().throttledMicros()).isPositive();
        assertThat(ending.usage().cpuUserMicros()).isPositive();
    }

    @Test
    void forksWithoutEnd() throws Exception {
        var ending = watch(
                "fork bomb",
                probe("fork", "0").limits(limits(256, PROCESSES, TIME)).start());
        assertThat(ending.outcome()).isEqualTo(new Outcome.TimedOut("time"));
    }

    @Test
    void startsTenThousandThreads() throws Exception {
        var held = host.request("./probe", "threads", "10000").workdir("/w").probe();
        var ending = watch(
                "10,000 threads, 200 pids",
                held.limits(limits(256, PROCESSES, TIME)).start());
        assertThat(ending.outcome()).isEqualTo(new Outcome.TimedOut("time"));
        var allowed = host.request("./probe", "threads", "10000").workdir("/w").probe();
        var all = allowed.limits(limits(512, 10_100, Duration.ofSeconds(3L * PATIENCE)))
                .start();
        var ended = watch("10,000 threads, allowed", all);
        assertThat(ended.outcome()).isEqualTo(new Outcome.TimedOut("time"));
        assertThat(ended.stdout().bytes()).as("the threads were made").isEqualTo("10000\n".length());
    }

    @Test
    void allocatesWithoutEnd() throws Exception {
        var ending =
                watch("allocates", probe("alloc", "100000").limits(memory()).start());
        assertThat(ending.outcome()).isEqualTo(new Outcome.OutOfMemory("job", "main", 137));
        assertThat(ending.usage().oomKills()).isEqualTo(1);
        assertThat(ending.usage().memoryPeakBytes()).isBetween(24L * MIB, 33L * MIB);
    }

    @Test
    void allocatesWithoutEndInAChild() throws Exception {
        var failing = watch(
                "allocates in a child, exits 7",
                probe("allocchild", "100000", "7").limits(memory()).start());
        assertThat(failing.outcome()).isEqualTo(new Outcome.OutOfMemory("job", "child", 7));
        assertThat(failing.usage().oomKills()).isEqualTo(1);
        var careless = watch(
                "allocates in a child, exits 0",
                probe("allocchild", "100000", "0").limits(memory()).start());
        assertThat(careless.outcome()).isEqualTo(new Outcome.Exited(0));
        assertThat(careless.usage().oomKills()).isEqualTo(1);
    }

    @Test
    void allocatesInFiles() throws Exception {
        var ending = watch(
                "fills /tmp, disk as large as memory",
                sh("head -c 64M /dev/zero > /tmp/a; head -c 64M /dev/zero > /tmp/b; exit 5")
                        .limits(new Limits(32 * MIB, 0, PROCESSES, TO_END, MIB, 1 << 30))
                        .start());
        assertThat(ending.outcome().cause()).isEqualTo("out_of_memory");
        assertThat(ending.usage().diskBytes()).as("how much of it was files").isGreaterThan(16L * MIB);
        var shared = watch(
                "fills /dev/shm",
                sh("head -c 64M /dev/zero > /dev/shm/a").limits(memory()).start());
        assertThat(shared.outcome().cause()).isIn("out_of_memory", "exited");
        assertThat(shared.outcome().exitCode()).isNotZero();
    }

    @Test
    void fillsItsDiskAndItsInodes() throws Exception {
        var small = new Limits(64 * MIB, 0, PROCESSES, TO_END, MIB, 4 * MIB);
        var full = watch(
                "fills its disk",
                sh("head -c 64M /dev/zero > /tmp/x").limits(small).start());
        assertThat(full.outcome()).isEqualTo(new Outcome.Exited(1));
        assertThat(full.usage().diskBytes()).isBetween(3L * MIB, 4L * MIB);
        var execution = probe("inodes", "/tmp").limits(small).start();
        var ending = watch("fills its inodes", execution);
        assertThat(ending.outcome()).isEqualTo(new Outcome.Exited(0));
        assertThat(ending.usage().diskInodes()).isBetween(1000L, 1200L);
        assertThat(TestHost.Result.of(host.runtime().find(execution.id()).orElseThrow())
                        .stdout())
                .contains("ENOSPC");
    }

    @Test
    void leavesADaemonThatHoldsItsOutput() throws Exception {
        var ending = watch(
                "double fork, setsid, holds stdout", probe("orphan", "1000").start());
        assertThat(ending.outcome()).isEqualTo(new Outcome.Exited(0));
        var shell = watch(
                "daemon behind setsid and nohup",
                sh("(setsid nohup sleep 1000 &) ; echo gone; exit 4").start());
        assertThat(shell.outcome()).isEqualTo(new Outcome.Exited(4));
    }

    @Test
    void ignoresEverySignalItCan() throws Exception {
        var execution = probe("ignoreterm", "1000").time(TIME).start();
        assertThat(watch("ignores SIGTERM", execution).outcome()).isEqualTo(new Outcome.TimedOut("time"));
        var cancelled = sh("trap '' HUP INT TERM QUIT; echo ready; while :; do sleep 1; done")
                .start();
        awaitOutput(cancelled);
        cancelled.cancel("api");
        assertThat(watch("ignores signals, cancelled", cancelled).outcome()).isEqualTo(new Outcome.Cancelled("api"));
    }

    @Test
    void closesItsOutput() throws Exception {
        var ending =
                watch("closes stdout and stderr", probe("closeoutput", "300").start());
        assertThat(ending.outcome()).isEqualTo(new Outcome.Exited(3));
        assertThat(ending.stdout().bytes()).isEqualTo("last words\n".length());
    }

    @Test
    void stopsItself() throws Exception {
        var ending = watch("SIGSTOPs itself", probe("stop").time(TIME).start());
        assertThat(ending.outcome()).isEqualTo(new Outcome.TimedOut("time"));
    }

    @Test
    void fillsAPipeThatNobodyReads() throws Exception {
        var ending = watch(
                "fills a pipe that nobody reads", probe("fullpipe").time(TIME).start());
        assertThat(ending.outcome()).isEqualTo(new Outcome.TimedOut("time"));
        assertThat(ending.usage().cpuUserMicros()).as("it sleeps").isLessThan(TimeUnit.SECONDS.toMicros(1));
    }

    @Test
    void saysThatTheSandboxWasKilledFromOutside() throws Exception {
        var execution = sh("echo ready; sleep 1000").start();
        awaitOutput(execution);
        signal("KILL", host.pidOne(execution));
        assertThat(watch("PID 1 killed by root of the host", execution).outcome())
                .isEqualTo(new Outcome.Killed(9, "host"));
    }

    @Test
    void destroysASandboxWhosePidOneDoesNotAnswer() throws Exception {
        var execution = sh("echo ready; sleep 1000").start();
        awaitOutput(execution);
        signal("STOP", host.pidOne(execution));
        execution.cancel("api");
        var ending = watch("PID 1 stopped, then cancelled", execution);
        assertThat(ending.outcome()).isEqualTo(new Outcome.Cancelled("api"));
        assertThat(ending.usage().memoryPeakBytes()).as("read without PID 1").isPositive();
    }

    private TestHost.Request probe(String... command) throws Exception {
        var whole = new ArrayList<>(List.of("./probe"));
        whole.addAll(List.of(command));
        return host.request(whole.toArray(String[]::new)).workdir("/w").probe().limits(limits(64, PROCESSES, TO_END));
    }

    private TestHost.Request sh(String script) {
        return host.request("sh", "-c", script).limits(limits(64, PROCESSES, TO_END));
    }

    private static Limits memory() {
        return limits(32, PROCESSES, TO_END);
    }

    private static Limits limits(long mebibytes, int pids, Duration time) {
        return new Limits(mebibytes * MIB, 0, pids, time, 16 * MIB, 8 * MIB);
    }

    private Ending watch(String name, Execution execution) throws Exception {
        var began = System.nanoTime();
        return note(name, began, execution, execution.await());
    }

    private Ending watch(String name, Execution execution, dev.bobbin.runner.OutputSink sink) throws Exception {
        var began = System.nanoTime();
        return note(name, began, execution, execution.streamTo(sink));
    }

    private Ending note(String name, long began, Execution execution, Ending ending) {
        var millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
        execution.close();
        table.add(name + " | " + ending.outcome() + " | " + ending.usage() + " | " + millis);
        var limit = execution.limits().orElseThrow().time();
        assertThat(Duration.ofMillis(millis)).as("time to the end").isLessThan(limit.plus(TO_END.multipliedBy(2)));
        return ending;
    }

    private static void awaitOutput(Execution execution) throws Exception {
        var seen = new AtomicBoolean();
        while (!seen.get()) {
            execution.read(0, false, output -> seen.compareAndSet(false, output instanceof Output.Bytes));
            Thread.onSpinWait();
        }
    }

    private static void signal(String name, long pid) throws Exception {
        assertThat(new ProcessBuilder("kill", "-" + name, String.valueOf(pid))
                        .start()
                        .waitFor())
                .isZero();
    }

    /// What the file system says of a job's journal, which is not what we believe.
    private long bytesOnDisk(Execution execution) {
        var files = new SandboxFiles(host.dataDir(), host.runDir());
        var journal = files.journal(((LocalExecution) execution).sandboxId());
        try {
            var stat = new ProcessBuilder("stat", "-c", "%b", journal.toString()).start();
            var text = new String(stat.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip();
            return Long.parseLong(text) * 512;
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static long heapBytes() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private static long percentile(List<Long> nanos, int percent) {
        var sorted = nanos.stream().sorted().toList();
        return sorted.get(Math.min(sorted.size() - 1, sorted.size() * percent / 100));
    }

    private static String millis(long nanos) {
        return String.format("%.1f", nanos / 1e6);
    }

    /// Somebody else who uses the same host.
    private final class Neighbour {
        private final List<String> failures = Collections.synchronizedList(new ArrayList<>());
        private final List<Long> starts = Collections.synchronizedList(new ArrayList<>());
        private final AtomicBoolean stopped = new AtomicBoolean();
        private final Thread thread = Thread.ofVirtual().name("neighbour").start(this::run);

        private void run() {
            while (!stopped.get()) {
                try {
                    var began = System.nanoTime();
                    var result = host.request("echo", "here").run();
                    starts.add(System.nanoTime() - began);
                    if (!result.stdout().equals("here\n") || result.exitCode() != 0) {
                        failures.add(result.toString());
                    }
                    TimeUnit.MILLISECONDS.sleep(20);
                } catch (Exception | AssertionError e) {
                    failures.add(e.toString());
                }
            }
        }

        List<Long> stop() throws InterruptedException {
            while (starts.isEmpty() && failures.isEmpty()) {
                Thread.onSpinWait();
            }
            stopped.set(true);
            thread.join();
            return starts;
        }
    }
}
