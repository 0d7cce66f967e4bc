package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.SandboxState;
import dev.bobbin.runner.Stdin;
import dev.bobbin.runner.Terminal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/// Execs, runs and sandboxes' own processes with terminals.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(60)
class TerminalIT {
    private TestHost host;
    private LastingSandbox sandbox;

    @BeforeAll
    void open() throws Exception {
        host = TestHost.open(0);
        sandbox = host.place().name("terminals").create();
    }

    @AfterAll
    void close() throws Exception {
        host.close();
    }

    /// Somebody who looks at a terminal.
    private static final class Screen implements AutoCloseable {
        private final StringBuilder shown = new StringBuilder();
        private final Thread reading;

        Screen(Execution execution) {
            reading = Thread.ofVirtual().start(() -> {
                try {
                    execution.streamTo(output -> {
                        if (output instanceof Output.Bytes bytes) {
                            synchronized (shown) {
                                shown.append(new String(bytes.copy(), StandardCharsets.UTF_8));
                                shown.notifyAll();
                            }
                        }
                    });
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            });
        }

        String await(String text) throws Exception {
            return await(shown -> shown.contains(text), text);
        }

        String await(Predicate<String> wanted, String what) throws Exception {
            var deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(15);
            synchronized (shown) {
                while (!wanted.test(shown.toString())) {
                    assertThat(System.nanoTime())
                            .as("waiting for %s in %s", what, shown)
                            .isLessThan(deadline);
                    shown.wait(100);
                }
                return shown.toString();
            }
        }

        @Override
        public void close() {
            try {
                reading.join();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    private static void type(Execution execution, String text) throws Exception {
        assertThat(execution.type(text.getBytes(StandardCharsets.UTF_8), Duration.ofSeconds(10)))
                .isTrue();
    }

    @Test
    void givesAProgramATerminalOfItsOwn() throws Exception {
        var execution = host.exec(
                        sandbox,
                        "sh",
                        "-c",
                        "test -t 0 && test -t 1 && test -t 2 && echo all; tty; stty size; echo $TERM;"
                                + " stat -c '%u %g %a' $(tty); ps -o tty= -p $$; echo err >&2; echo again > /dev/tty")
                .terminal(33, 101)
                .start();
        var result = TestHost.Result.of(execution);
        assertThat(result.exitCode()).isZero();
        assertThat(result.stdout().replace("\r\n", "|"))
                .matches("all\\|/dev/pts/\\d+\\|33 101\\|xterm\\|0 5 620\\|pts/\\d+ *\\|err\\|again\\|");
        assertThat(result.stderr()).isEmpty();
    }

    @Test
    void givesARunOneToo() throws Exception {
        for (var user : new String[] {null, "nobody", "1234:5678"}) {
            var request = host.request(
                            "sh",
                            "-c",
                            "test -t 0 && test -t 1 && test -t 2 && echo all; tty; stty size; echo $TERM;"
                                    + " stat -c '%u %g %a' $(tty); echo err >&2; echo again > /dev/tty; ls -l /proc/self/fd"
                                    + " | grep -c pipe; read line; echo got $line; exit 3")
                    .terminal(33, 101);
            var run = (user == null ? request : request.user(user)).start();
            type(run, "typed\n");
            var result = TestHost.Result.of(run);
            // what is typed is shown when it comes, wherever that is
            assertThat(result.stdout().replaceFirst("(?<!got )typed\r\n", "").replace("\r\n", "|"))
                    .as("%s", user)
                    .matches("all\\|/dev/pts/0\\|33 101\\|xterm\\|\\d+ 5 620\\|err\\|again\\|1\\|got typed\\|");
            assertThat(result.exitCode()).isEqualTo(3);
        }
    }

    @Test
    void showsAllThatARunPrintedBeforeItsEnd() throws Exception {
        for (var round = 0; round < 20; round++) {
            var text = TestHost.Result.of(
                            host.request("seq", "3000").terminal(24, 80).start())
                    .stdout();
            assertThat(text.split("\r\n", -1)).hasSize(3001);
            assertThat(text).endsWith("\r\n3000\r\n");
        }
    }

    @Test
    void saysInItWhyNothingRan() throws Exception {
        var result = TestHost.Result.of(host.request("nosuch").terminal(24, 80).start());
        assertThat(result.stderr()).isEqualTo("bobbin: nosuch: command not found\n");
        assertThat(result.exitCode()).isEqualTo(127);
    }

    @Test
    void passesOverWhatComesBehindTheEndOfTheInput() throws Exception {
        var run = host.request("sh", "-c", "cat; sleep 0.5; echo on")
                .stdin(new Stdin.Open())
                .start();
        run.feed(0, new byte[] {'a', '\n'}, true);
        assertThat(run.feed(2, new byte[] {'b', '\n'}, false)).isEqualTo(4);
        assertThat(TestHost.Result.of(run).stdout()).isEqualTo("a\non\n");
    }

    @Test
    void isThereForASandboxsOwnProcessAtEachStartAndUnderEachServer() throws Exception {
        var root = Files.createTempDirectory("bobbin-terminal");
        SandboxId id;
        try (var before = TestHost.open(0, root, false)) {
            var place = before.place("sh").env("PS1", "> ").terminal(30, 90).create();
            id = place.id();
            type(place.own().orElseThrow(), "before=1; stty size\n");
            while (!text(place.own().orElseThrow()).contains("30 90\r\n")) {
                TimeUnit.MILLISECONDS.sleep(20);
            }
        }
        try (var after = TestHost.open(0, root)) {
            var place = after.runtime().sandboxes().find(id).orElseThrow();
            for (var round = 0; round < 2; round++) {
                var own = place.own().orElseThrow();
                try (var screen = new Screen(own)) {
                    own.resize(new Terminal(40, 90 + round));
                    type(own, "stty size; tty; echo $before.; exit 3\n");
                    screen.await("40 9" + round + "\r\n/dev/pts/0\r\n" + (round == 0 ? "1.\r\n" : ".\r\n"));
                }
                assertThat(own.await().outcome()).isEqualTo(new Outcome.Exited(3));
                while (place.state() != SandboxState.STOPPED) {
                    TimeUnit.MILLISECONDS.sleep(20);
                }
                assertThat(place.start()).isEmpty();
            }
            place.remove();
        }
    }

    @Test
    void belongsToTheUser() throws Exception {
        var execution = host.exec(
                        sandbox, "sh", "-c", "id -u; stat -c %u $(tty); echo x > /dev/tty; echo y > /dev/stdout")
                .user("nobody")
                .terminal(24, 80)
                .start();
        assertThat(TestHost.Result.of(execution).stdout()).isEqualTo("65534\r\n65534\r\nx\r\ny\r\n");
    }

    @Test
    void takesWhatIsTypedAndItsControlCharacters() throws Exception {
        var shell = host.exec(sandbox, "sh").env("PS1", "> ").terminal(24, 80).start();
        try (var screen = new Screen(shell)) {
            screen.await("> ");
            type(shell, "echo one $((1+1))\n");
            screen.await("one 2\r\n");
            type(shell, "sleep 60\n");
            TimeUnit.MILLISECONDS.sleep(300);
            type(shell, "\003");
            type(shell, "echo code $?\n");
            screen.await("code 130\r\n");
            type(shell, "cat; echo ended $?\n");
            TimeUnit.MILLISECONDS.sleep(200);
            type(shell, "typed\n\004");
            screen.await("typed\r\ntyped\r\nended 0\r\n");
            type(shell, "exit 7\n");
        }
        assertThat(shell.await().outcome()).isEqualTo(new Outcome.Exited(7));
    }

    @Test
    void endsWhenItsInputDoes() throws Exception {
        var shell = host.exec(sandbox, "sh").terminal(24, 80).start();
        shell.feed(0, "echo hello\n".getBytes(StandardCharsets.UTF_8), true);
        var result = TestHost.Result.of(shell);
        assertThat(result.stdout()).contains("hello\r\n");
        assertThat(result.exitCode()).isZero();
    }

    @Test
    void tellsItsForegroundOfAnotherSize() throws Exception {
        var execution = host.exec(
                        sandbox, "sh", "-c", "trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done")
                .terminal(24, 80)
                .start();
        try (var screen = new Screen(execution)) {
            screen.await("ready");
            execution.resize(new Terminal(50, 132));
            screen.await("50 132\r\n");
            execution.resize(new Terminal(1, 65_535));
            screen.await("1 65535\r\n");
            execution.cancel("api");
        }
        assertThat(execution.await().outcome()).isEqualTo(new Outcome.Cancelled("api"));
        assertThatThrownBy(() -> new Terminal(0, 0)).isInstanceOf(IllegalArgumentException.class);
        var plain = host.exec(sandbox, "true").start();
        assertThatThrownBy(() -> plain.resize(new Terminal(1, 1))).isInstanceOf(IllegalArgumentException.class);
        plain.await();
    }

    @Test
    void showsAllThatWasPrintedBeforeTheEnd() throws Exception {
        for (var round = 0; round < 20; round++) {
            var execution = host.exec(sandbox, "seq", "3000").terminal(24, 80).start();
            var text = TestHost.Result.of(execution).stdout();
            assertThat(text.split("\r\n", -1)).hasSize(3001);
            assertThat(text).endsWith("\r\n3000\r\n");
        }
    }

    @Test
    void leavesManyApart() throws Exception {
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            var runs = IntStream.range(0, 30)
                    .mapToObj(number -> (Callable<String>) () -> {
                        var execution = host.exec(sandbox, "sh", "-c", "read line; echo got $line")
                                .terminal(24, 80)
                                .start();
                        type(execution, "n" + number + "\n");
                        return TestHost.Result.of(execution).stdout();
                    })
                    .toList();
            var results = tasks.invokeAll(runs);
            for (var number = 0; number < results.size(); number++) {
                assertThat(results.get(number).get()).endsWith("got n" + number + "\r\n");
            }
        }
        assertThat(host.sh(sandbox, "ls /dev/pts").stdout()).isEqualTo("ptmx\n");
    }

    @Test
    void refusesToUseWhatAJobPutInItsPlace() throws Exception {
        var fooled = host.place().create();
        host.sh(fooled, "rm -f /dev/ptmx; ln -s /dev/null /dev/ptmx; echo x > /dev/tty0");
        var execution = host.exec(fooled, "sh", "-c", "tty").terminal(24, 80).start();
        assertThat(TestHost.Result.of(execution).stdout()).startsWith("/dev/pts/");
        fooled.remove();
    }

    @Test
    void outlivesTheServer() throws Exception {
        var root = Files.createTempDirectory("bobbin-terminal");
        Execution shell;
        try (var before = TestHost.open(0, root, false)) {
            var place = before.place().name("long").create();
            shell = before.exec(place, "sh")
                    .env("PS1", "> ")
                    .onDisconnect(Job.OnDisconnect.CONTINUE)
                    .time(Duration.ofMinutes(1))
                    .terminal(24, 80)
                    .start();
            type(shell, "echo be''fore\n");
            while (!text(shell).contains("before\r\n")) {
                TimeUnit.MILLISECONDS.sleep(20);
            }
        }
        try (var after = TestHost.open(0, root)) {
            var again = after.runtime().find(shell.id()).orElseThrow();
            try (var screen = new Screen(again)) {
                screen.await("before\r\n");
                again.resize(new Terminal(40, 90));
                type(again, "stty size; exit 3\n");
                screen.await("40 90\r\n");
            }
            assertThat(again.await().outcome()).isEqualTo(new Outcome.Exited(3));
        }
    }

    private static String text(Execution execution) throws Exception {
        var shown = new StringBuilder();
        execution.read(0, false, output -> {
            if (output instanceof Output.Bytes bytes) {
                shown.append(new String(bytes.copy(), StandardCharsets.UTF_8));
            }
        });
        return shown.toString();
    }
}
