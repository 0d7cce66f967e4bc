package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.SandboxState;
import dev.bobbin.runner.Stdin;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/// Sandboxes that last and execs in them, on a real host.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(60)
class SandboxesIT {
    private static final int SIGTERM = 15;
    private static final int SIGKILL = 9;
    private static final Duration GRACE = Duration.ofSeconds(5);

    private TestHost host;

    @BeforeAll
    void open() throws Exception {
        host = TestHost.open(0);
    }

    @AfterAll
    void close() throws Exception {
        host.close();
    }

    @Test
    void runsExecsInASandboxThatIdles() throws Exception {
        var sandbox = host.place().name("idle").create();
        assertThat(sandbox.state()).isEqualTo(SandboxState.RUNNING);
        var first = host.sh(sandbox, "echo out; echo err >&2; echo kept > /tmp/file; exit 3");
        assertThat(first.stdout()).isEqualTo("out\n");
        assertThat(first.stderr()).isEqualTo("err\n");
        assertThat(first.ending().outcome()).isEqualTo(new Outcome.Exited(3));
        assertThat(host.sh(sandbox, "cat /tmp/file; hostname").stdout()).isEqualTo("kept\nidle\n");
        sandbox.remove();
        assertThat(host.runtime().sandboxes().find("default", "idle")).isEmpty();
    }

    @Test
    void findsASandboxByItsAliasForEver() throws Exception {
        var root = Files.createTempDirectory("bobbin-test");
        String alias;
        try (var first = TestHost.open(0, root, false)) {
            var sandbox = first.place("sleep", "600").name("web").create();
            alias = sandbox.aliases().getFirst();
            assertThat(alias).matches("[0-9a-f]{8}");
            assertThat(first.sh(sandbox, "hostname").stdout()).isEqualTo("web\n");
            var sandboxes = first.runtime().sandboxes();
            assertThat(sandboxes.find("default", alias)).contains(sandbox);
            assertThat(sandboxes.find("other", alias)).isEmpty();
            assertThat(first.place().name(alias).attempt()).isInstanceOf(Sandboxes.Creation.Refused.class);
            assertThat(sandbox.rename(alias)).isEmpty();
            assertThat(sandbox.rename("web")).isEmpty();
            assertThat(sandboxes.find("default", alias)).contains(sandbox);
        }
        try (var second = TestHost.open(0, root, true)) {
            var sandbox = second.runtime().sandboxes().find("default", alias).orElseThrow();
            assertThat(sandbox.name()).contains("web");
            sandbox.remove();
            assertThat(second.runtime().sandboxes().find("default", alias)).isEmpty();
        }
    }

    @Test
    void givesExecsTheSandboxesRightsAndView() throws Exception {
        var sandbox = host.place("sleep", "60").create();
        var script = """
                grep -E 'NoNewPrivs|Cap|Uid|Gid|Sig|Shd' /proc/self/status
                cat /proc/self/uid_map /proc/self/oom_score_adj /proc/self/cgroup
                for kind in cgroup ipc mnt net pid user uts; do readlink /proc/self/ns/$kind; done
                umask; pwd; ls -l /proc/self/fd | wc -l; ulimit -n; ulimit -c
                unshare -U true; mount -t tmpfs x /mnt; echo $?
                """;
        var ofExec = host.sh(sandbox, script + "readlink /proc/1/exe; kill -9 1; echo $?");
        var ofExecAgain = host.sh(sandbox, script + "readlink /proc/1/exe; kill -9 1; echo $?");
        assertThat(ofExec.stdout()).isEqualTo(ofExecAgain.stdout()).contains("NoNewPrivs:\t1");
        var main = host.sh(
                sandbox,
                "p=$(ps -eo pid,comm | awk '$2==\"sleep\"{print $1}'); for kind in cgroup ipc mnt net"
                        + " pid user uts; do readlink /proc/$p/ns/$kind; done; grep Cap /proc/$p/status; cat /proc/$p/cgroup");
        var own = host.sh(
                sandbox,
                "for kind in cgroup ipc mnt net pid user uts; do readlink /proc/self/ns/$kind; done;"
                        + " grep Cap /proc/self/status; cat /proc/self/cgroup");
        assertThat(own.stdout()).isEqualTo(main.stdout());
        sandbox.remove();
    }

    @Test
    void setsEnvironmentUserAndDirectoryOfAnExec() throws Exception {
        var sandbox = host.place()
                .env("A", "sandbox")
                .env("B", "sandbox")
                .workdir("/srv/work")
                .create();
        var result = host.exec(sandbox, "sh", "-c", "echo $A $B; pwd; id -u; echo x > /dev/stdout")
                .env("B", "exec")
                .run();
        assertThat(result.stdout()).as(result.stderr()).isEqualTo("sandbox exec\n/srv/work\n0\nx\n");
        var other = host.exec(sandbox, "sh", "-c", "pwd; id -u; id -g; echo x > /dev/stdout")
                .workdir("/tmp")
                .user("nobody")
                .run();
        assertThat(other.stdout()).as(other.stderr()).isEqualTo("/tmp\n65534\n65534\nx\n");
        var nowhere = host.exec(sandbox, "true").workdir("/nowhere").run();
        assertThat(nowhere.ending().outcome()).isInstanceOf(Outcome.SandboxError.class);
        assertThat(host.exec(sandbox, "true").user("nosuchuser").refusal().reason())
                .isEqualTo(Refusal.Reason.NO_SUCH_USER);
        assertThat(host.exec(sandbox, "no-such-program").run().exitCode()).isEqualTo(127);
        assertThat(host.exec(sandbox, "/usr").run().exitCode()).isEqualTo(126);
        sandbox.remove();
    }

    @Test
    void runsFiftyExecsAtOnceAndOneAfterTheOther() throws Exception {
        var sandbox = host.place().create();
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            var runs = IntStream.range(0, 50)
                    .mapToObj(number -> (Callable<TestHost.Result>) () ->
                            host.sh(sandbox, "for i in $(seq 100); do echo " + number + " $i; done; exit " + number))
                    .toList();
            var results = tasks.invokeAll(runs);
            for (var number = 0; number < results.size(); number++) {
                var result = results.get(number).get();
                assertThat(result.exitCode()).isEqualTo(number);
                assertThat(result.stdout().lines())
                        .hasSize(100)
                        .startsWith(number + " 1")
                        .endsWith(number + " 100");
            }
        }
        TestHost.awaitNoExecs(sandbox);
        sandbox.remove();
    }

    @Test
    void streamsStandardInputToAnExec() throws Exception {
        var sandbox = host.place().create();
        var execution = host.exec(sandbox, "cat")
                .stdin(new Stdin.Open())
                .output(1 << 30, Job.OutputPolicy.KILL)
                .start();
        var line = "0123456789abcde\n".repeat(4096).getBytes(StandardCharsets.US_ASCII);
        var reading = Executors.newVirtualThreadPerTaskExecutor();
        var result = reading.submit(() -> TestHost.Result.of(execution));
        var position = 0L;
        for (var i = 0; i < 64; i++) {
            position = execution.feed(position, line, i == 63);
        }
        assertThat(result.get().ending().stdout().bytes()).isEqualTo(64L * line.length);
        assertThat(result.get().exitCode()).isZero();
        reading.close();
        var given = host.exec(sandbox, "wc", "-c")
                .stdin(new Stdin.Bytes("hello".getBytes(StandardCharsets.US_ASCII)))
                .run();
        assertThat(given.stdout()).isEqualTo("5\n");
        assertThat(host.exec(sandbox, "wc", "-c").run().stdout()).isEqualTo("0\n");
        sandbox.remove();
    }

    @Test
    void killsAnExecAndWhatItStarted() throws Exception {
        var sandbox = host.place().create();
        var cancelled =
                host.exec(sandbox, "sh", "-c", "sleep 61 & echo started; wait").start();
        awaitOutput(cancelled);
        cancelled.cancel("api");
        assertThat(cancelled.await().outcome()).isEqualTo(new Outcome.Cancelled("api"));
        var signalled =
                host.exec(sandbox, "sh", "-c", "echo started; exec sleep 62").start();
        awaitOutput(signalled);
        signalled.signal(SIGTERM);
        assertThat(signalled.await().outcome()).isEqualTo(new Outcome.Killed(SIGTERM, "api"));
        var late =
                host.exec(sandbox, "sleep", "63").time(Duration.ofMillis(100)).run();
        assertThat(late.cause()).isEqualTo("timed_out");
        var loud =
                host.exec(sandbox, "yes").output(100_000, Job.OutputPolicy.KILL).run();
        assertThat(loud.cause()).isEqualTo("output_limit");
        assertThat(loud.ending().stdout().bytes()).isEqualTo(100_000);
        assertThat(host.sh(sandbox, "ps -e | grep -c '[s]leep'").stdout()).isEqualTo("0\n");
        sandbox.remove();
    }

    @Test
    void leavesDaemonsAliveThatAnExecStarted() throws Exception {
        var sandbox = host.place().create();
        var result = host.sh(sandbox, "(while :; do echo noise; sleep 0.05; done) & echo $!");
        assertThat(result.exitCode()).isZero();
        var daemon = result.stdout()
                .lines()
                .filter(line -> !line.equals("noise"))
                .findFirst()
                .orElseThrow();
        TimeUnit.MILLISECONDS.sleep(400);
        assertThat(host.sh(sandbox, "kill -0 " + daemon).exitCode()).isZero();
        var flood = host.sh(sandbox, "yes & echo $!");
        assertThat(flood.exitCode()).isZero();
        assertThat(host.sh(sandbox, "echo still here").stdout()).isEqualTo("still here\n");
        sandbox.remove();
    }

    @Test
    void tellsWhoWasKilledForMemory() throws Exception {
        var small = new Limits(48 << 20, 0, 100, Duration.ofMinutes(1), 1 << 20, 1 << 30);
        var sandbox = host.place().limits(small).create();
        assertThat(host.sh(sandbox, "tail /dev/zero").cause()).isEqualTo("exited");
        assertThat(host.exec(sandbox, "tail", "/dev/zero").run().cause()).isEqualTo("out_of_memory");
        assertThat(host.sh(sandbox, "exit 4").ending().outcome()).isEqualTo(new Outcome.Exited(4));
        assertThat(host.sh(sandbox, "kill -9 $$").ending().outcome()).isEqualTo(new Outcome.Killed(SIGKILL, "self"));
        sandbox.remove();
    }

    @Test
    void cannotBeStalledByAJobThatStopsEverything() throws Exception {
        var sandbox = host.place("sh", "-c", "while :; do kill -STOP -1; done").create();
        var began = System.nanoTime();
        var execs = IntStream.range(0, 5)
                .mapToObj(number -> {
                    try {
                        return host.exec(sandbox, "true")
                                .time(Duration.ofSeconds(1))
                                .start();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                })
                .toList();
        for (var exec : execs) {
            assertThat(exec.await().outcome().cause()).isIn("exited", "timed_out", "sandbox_error");
        }
        var stuck = host.exec(sandbox, "sleep", "60").start();
        stuck.cancel("api");
        assertThat(stuck.await().outcome()).isEqualTo(new Outcome.Cancelled("api"));
        assertThat(System.nanoTime() - began).isLessThan(TimeUnit.SECONDS.toNanos(12));
        began = System.nanoTime();
        sandbox.remove();
        assertThat(System.nanoTime() - began).isLessThan(TimeUnit.SECONDS.toNanos(3));
    }

    @Test
    void endsWithItsOwnProcess() throws Exception {
        var sandbox = host.place("sh", "-c", "echo hello; sleep 0.5; exit 7").create();
        var exec = host.exec(sandbox, "sleep", "60").start();
        var own = sandbox.own().orElseThrow();
        assertThat(TestHost.Result.of(own).stdout()).isEqualTo("hello\n");
        assertThat(own.await().outcome()).isEqualTo(new Outcome.Exited(7));
        assertThat(exec.await().outcome()).isEqualTo(new Outcome.Cancelled("sandbox"));
        awaitState(sandbox, SandboxState.STOPPED);
        assertThat(host.exec(sandbox, "true").refusal().reason()).isEqualTo(Refusal.Reason.SANDBOX_NOT_RUNNING);
        sandbox.remove();
    }

    @Test
    void keepsItsFilesWhenStoppedAndStarted() throws Exception {
        var sandbox = host.place().name("keeper").create();
        host.sh(
                sandbox,
                "echo one > /root/file; mkdir /data; chown 1000:1000 /data; rm -rf /srv; chmod 700 /root/file");
        assertThat(sandbox.stop(SIGTERM, GRACE)).isEmpty();
        assertThat(sandbox.state()).isEqualTo(SandboxState.STOPPED);
        assertThat(host.exec(sandbox, "true").refusal().reason()).isEqualTo(Refusal.Reason.SANDBOX_NOT_RUNNING);
        assertThat(sandbox.start()).isEmpty();
        assertThat(sandbox.state()).isEqualTo(SandboxState.RUNNING);
        var result = host.sh(sandbox, "cat /root/file; stat -c '%u %g %a' /data /root/file; ls -d /srv; id -u");
        assertThat(result.stdout()).isEqualTo("one\n1000 1000 755\n0 0 700\n0\n");
        assertThat(sandbox.restart(SIGTERM, GRACE)).isEmpty();
        assertThat(host.sh(sandbox, "cat /root/file").stdout()).isEqualTo("one\n");
        assertThat(sandbox.stop(SIGTERM, GRACE)).isEmpty();
        assertThat(sandbox.stop(SIGTERM, GRACE)).isEmpty();
        sandbox.remove();
        assertThat(sandbox.start().orElseThrow().reason()).isEqualTo(Refusal.Reason.NO_SUCH_SANDBOX);
    }

    @Test
    void givesItsProcessesGraceWhenStopped() throws Exception {
        var polite = host.place("sh", "-c", "trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.02; done")
                .create();
        awaitOutput(polite.own().orElseThrow());
        polite.stop(SIGTERM, GRACE);
        var ending = TestHost.Result.of(polite.own().orElseThrow());
        assertThat(ending.stdout()).isEqualTo("up\nbye\n");
        assertThat(ending.exitCode()).isEqualTo(5);
        polite.remove();
        var deaf = host.place("sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.02; done")
                .create();
        awaitOutput(deaf.own().orElseThrow());
        deaf.stop(SIGTERM, Duration.ofMillis(200));
        assertThat(deaf.ending().orElseThrow().outcome()).isEqualTo(new Outcome.Cancelled("api"));
        deaf.remove();
        var idle = host.place().create();
        host.sh(idle, "sleep 60 & true");
        var began = System.nanoTime();
        idle.stop(SIGTERM, GRACE);
        assertThat(System.nanoTime() - began).isLessThan(GRACE.toNanos());
        assertThat(idle.state()).isEqualTo(SandboxState.STOPPED);
        idle.start();
        idle.signal(SIGKILL);
        assertThat(idle.state()).isEqualTo(SandboxState.STOPPED);
        idle.remove();
    }

    @Test
    void isRemovedWhileItIsGivenGrace() throws Exception {
        var deaf = host.place("sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.02; done")
                .create();
        awaitOutput(deaf.own().orElseThrow());
        var stopping = Thread.ofVirtual().start(() -> {
            try {
                deaf.stop(SIGTERM, Duration.ofSeconds(50));
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        awaitState(deaf, SandboxState.STOPPING);
        var began = System.nanoTime();
        deaf.remove();
        deaf.remove();
        assertThat(System.nanoTime() - began).isLessThan(TimeUnit.SECONDS.toNanos(3));
        assertThat(stopping.join(GRACE)).isTrue();
        assertThat(deaf.rename("other").orElseThrow().reason()).isEqualTo(Refusal.Reason.NO_SUCH_SANDBOX);
        assertThat(deaf.signal(SIGTERM).orElseThrow().reason()).isEqualTo(Refusal.Reason.NO_SUCH_SANDBOX);
    }

    @Test
    void tellsTheNumberOfItsProcess() throws Exception {
        var idle = host.place().create();
        var pidOne = idle.pid().orElseThrow();
        assertThat(Files.readString(Path.of("/proc/" + pidOne + "/comm"))).isEqualTo("bobbin-init\n");
        var busy = host.place("sleep", "60").create();
        host.sh(busy, "sleep 61 & true");
        assertThat(Files.readString(Path.of("/proc/" + busy.pid().orElseThrow() + "/cmdline")))
                .isEqualTo("sleep\00060\000");
        busy.stop(SIGKILL, GRACE);
        assertThat(busy.pid()).isEmpty();
        idle.remove();
        busy.remove();
    }

    @Test
    void givesANameToOneSandboxOnly() throws Exception {
        var first = host.place().name("taken").create();
        assertThat(host.place().name("taken").attempt())
                .isInstanceOfSatisfying(
                        Sandboxes.Creation.Refused.class,
                        refused -> assertThat(refused.refusal().reason()).isEqualTo(Refusal.Reason.NAME_TAKEN));
        assertThat(host.runtime().sandboxes().find("default", "taken")).contains(first);
        assertThat(host.runtime().sandboxes().find("default", first.id().toString()))
                .contains(first);
        assertThat(host.runtime().sandboxes().find("other", "taken")).isEmpty();
        assertThat(host.runtime().sandboxes().find("other", first.id().toString()))
                .isEmpty();
        assertThat(first.rename("free")).isEmpty();
        var second = host.place().name("taken").create();
        assertThat(second.rename("free").orElseThrow().reason()).isEqualTo(Refusal.Reason.NAME_TAKEN);
        assertThat(host.runtime().sandboxes().find("default", "free")).contains(first);
        assertThatThrownBy(() -> first.rename("../x")).isInstanceOf(IllegalArgumentException.class);
        first.remove();
        second.remove();
    }

    @Test
    void expiresWhenItsTimeIsUpAndStopsWhenItIdles() throws Exception {
        var passing = host.place().ttl(Duration.ofMillis(600)).create();
        var idle = host.place().idle(Duration.ofMillis(300)).create();
        awaitState(idle, SandboxState.STOPPED);
        assertThat(idle.ending().orElseThrow().outcome()).isEqualTo(new Outcome.Cancelled("idle"));
        for (var i = 0; i < 100 && host.runtime().sandboxes().list().contains(passing); i++) {
            TimeUnit.MILLISECONDS.sleep(50);
        }
        assertThat(host.runtime().sandboxes().list()).doesNotContain(passing);
        idle.remove();
    }

    @Test
    void removesTreesThatAreDeeperThanAnyPath() throws Exception {
        var sandbox = host.place().create();
        var deep = host.sh(
                sandbox,
                "cd /root; i=0; while [ $i -lt 700 ]; do mkdir dddddddddd; cd dddddddddd; i=$((i+1)); done; echo x > f");
        assertThat(deep.exitCode()).as(deep.stderr()).isZero();
        sandbox.remove();
        var trash = host.dataDir().resolve("trash");
        for (var i = 0; i < 100 && !isEmpty(trash); i++) {
            TimeUnit.MILLISECONDS.sleep(50);
        }
        assertThat(isEmpty(trash)).isTrue();
        assertThat(host.dataDir().resolve("sandboxes").resolve(sandbox.id().toString()))
                .doesNotExist();
    }

    @Test
    void keepsItsRecordToItself() throws Exception {
        var sandbox = host.place()
                .name("secretive")
                .env("TOKEN", "s3cret \"quoted\" ü\n")
                .create();
        var record = host.dataDir()
                .resolve("sandboxes")
                .resolve(sandbox.id().toString())
                .resolve("sandbox.json");
        assertThat(Files.getPosixFilePermissions(record)).hasSize(2);
        assertThat(Files.readString(record)).contains("\"state\": \"running\"");
        assertThat(sandbox.unenforcedLimits()).contains("disk");
        sandbox.remove();
    }

    private static boolean isEmpty(Path directory) throws Exception {
        try (var entries = Files.list(directory)) {
            return entries.findAny().isEmpty();
        }
    }

    private static void awaitState(LastingSandbox sandbox, SandboxState state) throws Exception {
        for (var i = 0; i < 200 && sandbox.state() != state; i++) {
            TimeUnit.MILLISECONDS.sleep(25);
        }
        assertThat(sandbox.state()).isEqualTo(state);
    }

    private static void awaitOutput(Execution execution) throws Exception {
        var seen = new CountDownLatch(1);
        var reader = Thread.ofVirtual().start(() -> {
            try {
                execution.streamTo(output -> {
                    if (output instanceof Output.Bytes) {
                        seen.countDown();
                    }
                });
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        assertThat(seen.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(reader).isNotNull();
    }

    @Test
    void refusesExecsInWhatIsNotThere() throws Exception {
        var sandbox = host.place().create();
        sandbox.remove();
        assertThat(host.exec(sandbox, "true").attempt())
                .isInstanceOfSatisfying(
                        Attempt.Refused.class,
                        refused -> assertThat(refused.refusal().reason()).isEqualTo(Refusal.Reason.NO_SUCH_SANDBOX));
    }
}
