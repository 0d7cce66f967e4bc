package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.image.store.ImageStore;
import dev.bobbin.image.store.StoreConfig;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.StartTimeline.Phase;
import dev.bobbin.runner.Stdin;
import dev.bobbin.runner.sandbox.SandboxException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/// Jobs on a real host: real init, real kernel.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(60)
class HostRuntimeIT {
    private TestHost host;

    @BeforeAll
    void open() throws Exception {
        host = TestHost.open(4);
    }

    @AfterAll
    void close() throws Exception {
        host.close();
    }

    @Test
    void runsACommandAndKeepsItsStreamsApart() throws Exception {
        var result = host.sh("echo out; echo err >&2; exit 3");
        assertThat(result.stdout()).isEqualTo("out\n");
        assertThat(result.stderr()).isEqualTo("err\n");
        assertThat(result.ending().outcome()).isEqualTo(new Outcome.Exited(3));
    }

    @Test
    void provesThatNothingIsMissing() throws Exception {
        var result = host.sh("printf abc; printf de >&2");
        var crc = new CRC32C();
        crc.update("abc".getBytes(StandardCharsets.US_ASCII));
        assertThat(result.ending().stdout().bytes()).isEqualTo(3);
        assertThat(result.ending().stdout().crc32c()).isEqualTo((int) crc.getValue());
        assertThat(result.ending().stderr().bytes()).isEqualTo(2);
    }

    @Test
    void saysWhichSignalKilled() throws Exception {
        assertThat(host.sh("kill -SEGV $$").ending().outcome()).isEqualTo(new Outcome.Killed(11, "self"));
        assertThat(host.sh("kill -KILL $$").ending().outcome()).isEqualTo(new Outcome.Killed(9, "self"));
    }

    @Test
    void answersLikeAShellWhenThereIsNoSuchProgram() throws Exception {
        var absent = host.request("no-such-program").run();
        assertThat(absent.exitCode()).isEqualTo(127);
        assertThat(absent.stderr()).contains("no-such-program").contains("not found");
        var directory = host.request("/usr").run();
        assertThat(directory.exitCode()).isEqualTo(126);
        assertThat(directory.stderr()).contains("/usr");
    }

    @Test
    void passesArgumentsAndEnvironmentUntouched() throws Exception {
        var result =
                host.request("printf", "%s|", "a b", "$HOME", "'x'", ";id", "").run();
        assertThat(result.stdout()).isEqualTo("a b|$HOME|'x'|;id||");
        var environment = host.request("env").env("GREETING", "grüß dich").run();
        assertThat(environment.stdout().lines())
                .contains("GREETING=grüß dich", "HOME=/root")
                .anyMatch(line -> line.startsWith("PATH=/usr/local/sbin:"));
    }

    @Test
    void makesTheWorkingDirectoryAndLaysFilesIntoIt() throws Exception {
        var result = host.request("sh", "-c", "pwd; cat sub/in.txt; ./go; stat -c '%a %u' sub/in.txt go")
                .workdir("/made/here")
                .file("sub/in.txt", "content\n", 0640)
                .file("go", "#!/bin/sh\necho ran\n", 0755)
                .run();
        assertThat(result.stderr()).isEmpty();
        assertThat(result.stdout()).isEqualTo("/made/here\ncontent\nran\n640 0\n755 0\n");
    }

    @Test
    void runsAsAnotherUser() throws Exception {
        var result = host.request("sh", "-c", "id -u; id -g; echo x > mine && stat -c %u mine; echo y > /dev/stdout")
                .user("nobody")
                .workdir("/tmp/own")
                .run();
        assertThat(result.stderr()).as(result.toString()).isEmpty();
        assertThat(result.stdout()).as(result.toString()).isEqualTo("65534\n65534\n65534\ny\n");
        assertThat(host.request("true").user("nosuchuser").refusal().reason()).isEqualTo(Refusal.Reason.NO_SUCH_USER);
    }

    @Test
    void readsStandardInputGivenWithTheJob() throws Exception {
        var text = "0123456789".repeat(100_000);
        var result = host.request("md5sum")
                .stdin(new Stdin.Bytes(text.getBytes(StandardCharsets.US_ASCII)))
                .run();
        var md5 = java.security.MessageDigest.getInstance("MD5").digest(text.getBytes(StandardCharsets.US_ASCII));
        assertThat(result.stdout()).startsWith(java.util.HexFormat.of().formatHex(md5));
        assertThat(host.request("cat").run().stdout()).isEmpty();
    }

    @Test
    void takesStandardInputWhileItRuns() throws Exception {
        var execution = host.request("cat").stdin(new Stdin.Open()).start();
        assertThat(execution.feed(0, "one ".getBytes(StandardCharsets.US_ASCII), false))
                .isEqualTo(4);
        assertThat(execution.feed(2, "e two".getBytes(StandardCharsets.US_ASCII), false))
                .isEqualTo(7);
        assertThatThrownBy(() -> execution.feed(9, new byte[1], false)).hasMessageContaining("7 bytes");
        execution.feed(7, new byte[0], true);
        assertThat(TestHost.Result.of(execution).stdout()).isEqualTo("one two");
        assertThatThrownBy(() -> execution.feed(7, new byte[1], true)).hasMessageContaining("ended");
    }

    @Test
    void refusesInputThatWasNotLeftOpen() throws Exception {
        var execution = host.request("sleep", "60").start();
        assertThatThrownBy(() -> execution.feed(0, new byte[1], false)).hasMessageContaining("not left open");
        execution.cancel("api");
        assertThat(execution.await().outcome()).isEqualTo(new Outcome.Cancelled("api"));
    }

    @Test
    void endsWhatTakesTooLong() throws Exception {
        var started = System.nanoTime();
        var result = host.request("sh", "-c", "echo begun; trap '' TERM; sleep 60 & sleep 60")
                .time(Duration.ofMillis(300))
                .run();
        assertThat(result.ending().outcome()).isEqualTo(new Outcome.TimedOut("time"));
        assertThat(result.stdout()).isEqualTo("begun\n");
        assertThat(System.nanoTime() - started).isLessThan(TimeUnit.SECONDS.toNanos(30));
    }

    @Test
    void endsWithItsMainProcessAlthoughAChildHoldsTheOutput() throws Exception {
        var result = host.sh("(setsid sleep 60; echo late) & echo done");
        assertThat(result.stdout()).isEqualTo("done\n");
        assertThat(result.exitCode()).isZero();
    }

    @Test
    void keepsExactlyTheOutputThatIsAllowed() throws Exception {
        var result = host.request("sh", "-c", "yes 123456789")
                .output(100_000, Job.OutputPolicy.KILL)
                .run();
        assertThat(result.ending().outcome()).isEqualTo(new Outcome.OutputLimit());
        assertThat(result.stdout()).hasSize(100_000);
    }

    @Test
    void letsAReaderHaveMoreThanTheLimitUnderBlock() throws Exception {
        var result = host.request("head", "-c", "3000000", "/dev/zero")
                .output(100_000, Job.OutputPolicy.BLOCK)
                .run();
        assertThat(result.stdout()).hasSize(3_000_000);
        assertThat(result.exitCode()).isZero();
    }

    @Test
    void holdsTheProgramBackWhileNobodyReadsUnderBlock() throws Exception {
        var execution = host.request("sh", "-c", "head -c 3000000 /dev/zero; echo end >&2")
                .output(100_000, Job.OutputPolicy.BLOCK)
                .time(Duration.ofMillis(700))
                .start();
        assertThat(execution.await().outcome()).isEqualTo(new Outcome.TimedOut("time"));
        assertThat(execution.await().stdout().bytes()).isLessThan(1_000_000);
    }

    @Test
    void keepsTheJournalAfterTheEnd() throws Exception {
        var execution =
                host.request("sh", "-c", "for i in 1 2 3; do echo $i; done").start();
        execution.await();
        var found = host.runtime().find(execution.id()).orElseThrow();
        assertThat(TestHost.Result.of(found).stdout()).isEqualTo("1\n2\n3\n");
        assertThat(found.command()).containsExactly("sh", "-c", "for i in 1 2 3; do echo $i; done");
    }

    @Test
    void stampsEveryPhaseInOrder() throws Exception {
        var result = host.sh("echo x");
        var timeline = result.ending().timeline();
        var last = 0L;
        for (var phase : new Phase[] {Phase.IMAGE, Phase.SANDBOX, Phase.EXEC, Phase.END}) {
            var micros = timeline.micros(phase).orElseThrow();
            assertThat(micros).as(phase.word()).isBetween(last, 30_000_000L);
            last = micros;
        }
        // a last byte may be read just after the program was reaped, so it is compared with its beginning
        assertThat(timeline.micros(Phase.FIRST_BYTE).orElseThrow())
                .isGreaterThanOrEqualTo(timeline.micros(Phase.EXEC).orElseThrow());
    }

    @Test
    void refusesAnImageThatIsNotThere() throws Exception {
        assertThat(host.request("true").image("busybox").refusal().reason()).isEqualTo(Refusal.Reason.NO_SUCH_IMAGE);
        assertThat(host.request().refusal().reason()).isEqualTo(Refusal.Reason.NO_COMMAND);
    }

    @Test
    void isAWorldOfItsOwn() throws Exception {
        var result = host.sh("""
                id -u
                hostname
                ps -e -o pid= 2>/dev/null | wc -l
                ls /proc/self/fd | tr '\\n' ' '
                cat /proc/self/uid_map
                grep -E 'NoNewPrivs|CapEff|CapBnd' /proc/self/status
                ls -A /root /home /tmp
                ls /sys/class/net
                """);
        assertThat(result.stderr()).isEmpty();
        var lines = result.stdout().lines().toList();
        assertThat(lines.getFirst()).isEqualTo("0");
        assertThat(result.stdout()).contains("NoNewPrivs:\t1");
        assertThat(result.stdout()).containsPattern("0 +\\d{8,} +65536");
        assertThat(result.stdout()).contains("CapEff:\t00000000000405fb").contains("CapBnd:\t00000000000405fb");
        assertThat(lines.getLast()).isEqualTo("lo");
    }

    @Test
    void cannotReachWhatIsNotItsOwn() throws Exception {
        for (var attempt : new String[] {
            "mount -t tmpfs x /mnt",
            "mknod /tmp/x c 1 3",
            "kill -9 1",
            "kill -STOP 1",
            "test -e /proc/1/exe",
            "cat /proc/1/environ",
            "ls /proc/1/fd",
            "ls /proc/1/root/",
            "unshare -U true",
            "echo x > /usr/x",
            "cat /etc/shadow",
            "hostname other",
            "echo 1 > /proc/sys/kernel/panic",
        }) {
            var result = host.sh(attempt + " 2>/dev/null");
            assertThat(result.exitCode()).as(attempt).isNotZero();
            assertThat(result.cause()).as(attempt).isEqualTo("exited");
        }
    }

    @Test
    void leavesNothingOfOneJobToTheNext() throws Exception {
        host.sh("echo secret > /tmp/left; echo secret > /root/left; (sleep 60 &)");
        var next = host.sh("ls /tmp /root; ps -e | grep -c '[s]leep'");
        assertThat(next.stdout()).doesNotContain("left");
    }

    @Test
    void limitsMemoryProcessesAndDisk() throws Exception {
        var small = new dev.bobbin.runner.Limits(32 << 20, 0.5, 20, Duration.ofSeconds(20), 1 << 20, 4 << 20);
        var hog = host.request("sh", "-c", "tail /dev/zero").limits(small).run();
        assertThat(hog.cause()).as(hog.toString()).isIn("out_of_memory", "exited");
        assertThat(hog.exitCode()).isNotZero();
        var forks = host.request("sh", "-c", "for i in $(seq 50); do sleep 5 & done")
                .limits(small)
                .run();
        assertThat(forks.stderr()).contains("fork");
        var disk = host.request("sh", "-c", "head -c 8000000 /dev/zero > /tmp/x")
                .limits(small)
                .run();
        assertThat(disk.stderr()).contains("No space left");
    }

    @Test
    void streamsWhatAJobPrintsAsItPrints() throws Exception {
        var execution = host.request("sh", "-c", "echo a; sleep 0.4; echo b").start();
        var times = new ArrayList<Long>();
        execution.streamTo(output -> {
            if (output instanceof Output.Bytes) {
                times.add(System.nanoTime());
            }
        });
        assertThat(times).hasSize(2);
        assertThat(times.get(1) - times.get(0)).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(200));
    }

    @Test
    void runsManyAtOnce() throws Exception {
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            var runs = IntStream.range(0, 200)
                    .mapToObj(number -> (Callable<String>)
                            () -> host.sh("echo " + number).stdout().trim())
                    .toList();
            var results = tasks.invokeAll(runs);
            for (var number = 0; number < results.size(); number++) {
                assertThat(results.get(number).get()).isEqualTo(String.valueOf(number));
            }
        }
    }

    @Test
    void carriesLargeOutputWhole() throws Exception {
        var execution = host.request("sh", "-c", "seq 1 1000000")
                .output(1 << 30, Job.OutputPolicy.KILL)
                .start();
        var crc = new CRC32C();
        var ending = execution.streamTo(output -> {
            if (output instanceof Output.Bytes bytes) {
                crc.update(bytes.copy());
            }
        });
        assertThat(ending.stdout().bytes()).isEqualTo(6_888_896);
        assertThat(ending.stdout().crc32c()).isEqualTo((int) crc.getValue());
    }

    @Test
    void refusesDirectoriesThatAnotherHolds() throws Exception {
        var config = new HostConfig(host.dataDir(), host.runDir(), 0, null, Duration.ZERO, 0, false);
        try (var images = ImageStore.open(host.dataDir().resolve("other"), StoreConfig.DEFAULT, host.meters)) {
            assertThatThrownBy(() -> HostRuntime.open(config, images, host.meters))
                    .isInstanceOf(SandboxException.class)
                    .hasMessageContaining("in use by another Bobbin");
        }
    }

    @Test
    void findsJobsAgainAfterARestart() throws Exception {
        try (var restarted = TestHost.open(2)) {
            var ended = restarted.request("echo", "kept").start();
            ended.await();
            var running = restarted
                    .request("sh", "-c", "for i in $(seq 30); do echo line $i; sleep 0.05; done; exit 4")
                    .onDisconnect(Job.OnDisconnect.CONTINUE)
                    .start();
            restarted.restart();
            var again = restarted.runtime().find(running.id()).orElseThrow();
            var result = TestHost.Result.of(again);
            assertThat(result.stdout().lines()).hasSize(30).startsWith("line 1").endsWith("line 30");
            assertThat(result.ending().outcome()).isEqualTo(new Outcome.Exited(4));
            var kept = restarted.runtime().find(ended.id()).orElseThrow();
            assertThat(TestHost.Result.of(kept).stdout()).isEqualTo("kept\n");
        }
    }

    @Test
    void endsSynchronousJobsWhenDrained() throws Exception {
        try (var drained = TestHost.open(0)) {
            var execution = drained.request("sleep", "60").start();
            drained.runtime().drain(Duration.ofMillis(100));
            assertThat(execution.await().outcome()).isEqualTo(new Outcome.Cancelled("shutdown"));
            assertThat(drained.request("true").refusal().reason()).isEqualTo(Refusal.Reason.DRAINING);
        }
    }

    @Test
    void knowsHowMuchThisMachineHas() {
        var capacity = host.runtime().capacity();
        assertThat(capacity.memoryBytes()).isGreaterThan(64L << 20);
        assertThat(capacity.pids()).isGreaterThan(1000);
    }
}
