package dev.bobbin.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// `-it` and `attach` as a person uses them: each command in a terminal of its own, which script(1) makes, inside a
/// shell that says afterwards how the terminal is.
@Timeout(120)
final class TerminalCommandsIT extends TypedCommands {
    private static final String DETACH = "\020\021";

    @AfterEach
    void close() throws Exception {
        if (Files.exists(directory.resolve("run/api.sock"))) {
            removeSandboxes();
        }
    }

    /// A window with a shell in it that has typed one line, and says afterwards how that ended.
    private final class Window {
        private final Process process;
        private final InputStream screen;
        private final StringBuilder shown = new StringBuilder();

        Window(String line) throws IOException {
            var script = "stty rows 31 columns 97; before=$(stty -g); " + line + "; code=$?; "
                    + "test \"$before\" = \"$(stty -g)\" && echo [as before]; echo [code $code]; sleep 0.2";
            process = start(List.of("script", "-qfec", "bash -c '" + script.replace("'", "'\\''") + "'", "/dev/null"));
            screen = process.getInputStream();
        }

        Window type(String keys) throws IOException {
            process.getOutputStream().write(keys.getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().flush();
            return this;
        }

        /// Waits until the window has shown `text`, and forgets what came before its end.
        Window await(String text) throws Exception {
            before(text);
            return this;
        }

        /// The same, and gives what came before it.
        String before(String text) throws Exception {
            var deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
            var buffer = new byte[4096];
            while (shown.indexOf(text) < 0) {
                assertThat(System.nanoTime())
                        .as("waiting for " + text + " in " + shown)
                        .isLessThan(deadline);
                if (screen.available() > 0) {
                    var count = screen.read(buffer);
                    shown.append(new String(buffer, 0, count, StandardCharsets.UTF_8));
                } else {
                    assertThat(process.isAlive() || screen.available() > 0)
                            .as("ended before " + text + ": " + shown)
                            .isTrue();
                    TimeUnit.MILLISECONDS.sleep(20);
                }
            }
            var before = shown.substring(0, shown.indexOf(text));
            shown.delete(0, before.length() + text.length());
            return before;
        }

        void ends(int code) throws Exception {
            await("[as before]\r\n[code " + code + "]");
        }
    }

    @Test
    void execGivesThisTerminalToItsCommand() throws Exception {
        serve();
        bobbin("create", "--name", "web", "-e", "PS1=box> ");
        var window = new Window(line("exec", "-it", "web", "sh"));
        window.await("box> ").type("stty size; echo $TERM-; tty\n").await("31 97\r\n");
        window.await("/dev/pts/");
        window.type("sleep 60\n").await("sleep 60\r\n");
        TimeUnit.MILLISECONDS.sleep(500);
        window.type("\003").await("box> ").type("echo code $?\n").await("code 130\r\n");
        window.type("exit 7\n");
        window.ends(7);
    }

    @Test
    void tellsItsCommandOfAnotherSize() throws Exception {
        serve();
        bobbin("create", "--name", "web");
        var loop = "trap \"stty size\" WINCH; echo ready; while :; do sleep 0.1; done";
        var window = new Window("(sleep 6; stty rows 20 columns 40 </dev/tty) & "
                + line("exec", "-it", "web", "sh", "-c", "'" + loop + "'"));
        window.await("ready").await("20 40\r\n").type("\003");
        window.ends(130);
    }

    @Test
    void leavesItRunningAndComesBack() throws Exception {
        serve();
        bobbin("create", "--name", "own", "-it", "-e", "PS1=box> ", "--", "sh");
        var first = new Window(line("attach", "own"));
        first.type("\n").await("box> ").type("a=kept\n").await("box> ").type(DETACH);
        first.await("left it running").ends(0);

        var again = new Window(line("attach", "own"));
        again.type("\n").await("box> ").type("stty size; echo $a; exit 5\n").await("31 97\r\nkept\r\n");
        again.ends(5);

        var exec = new Window(line("exec", "-it", "--detach-keys", "ctrl-x", "$(" + line("create") + ")", "sh"));
        exec.await("# ").type("b=kept\n").await("# ").type("\030").await("\"bobbin attach ");
        var job = exec.before("\" comes back");
        exec.ends(0);
        var back = new Window(line("attach", job));
        back.type("\n").await("# ").type("echo $b; exit 6\n").await("kept\r\n");
        back.ends(6);
    }

    @Test
    void runWorksWithAServerAndWithoutOne() throws Exception {
        for (var served : List.of(false, true)) {
            if (served) {
                serve();
            }
            var window = new Window(line("run", "-it", "--", "sh", "-c", "'tty; stty size; read a; exit 4'"));
            window.await("/dev/pts/0\r\n31 97\r\n").type("x\n").await("x\r\n").ends(4);
            var refused = new Window(line("run", "-it", "--", "nosuch"));
            refused.await("nosuch: command not found").ends(127);
        }
    }

    @Test
    void restoresTheTerminalAndEndsTheCommandWhateverEndsIt() throws Exception {
        serve();
        bobbin("create", "--name", "web");
        for (var signal : List.of("TERM", "HUP")) {
            var window = new Window("echo $$ > " + directory + "/shell; "
                    + line("exec", "-it", "web", "sh", "-c", "'echo ready; sleep 6174'"));
            window.await("ready");
            shell("pkill -" + signal + " -P $(cat " + directory + "/shell)");
            window.ends(signal.equals("TERM") ? 143 : 129);
            awaitNone("sleep 6174");
        }
    }

    @Test
    void comesBackToWhatOutlivedTheServer() throws Exception {
        var server = serve();
        bobbin("create", "--name", "own", "-t", "-e", "PS1=box> ", "--", "sh");
        var window = new Window(line("attach", "own"));
        window.type("\n").await("box> ").type("a=kept\n").await("box> ");
        server.destroyForcibly().waitFor();
        window.await("the server broke off").ends(125);

        serve();
        var again = new Window(line("attach", "own"));
        again.type("\n").await("box> ").type("echo $a; exit 5\n").await("kept\r\n");
        again.ends(5);
    }

    @Test
    void saysWhyItCannotHaveATerminal() throws Exception {
        serve();
        bobbin("create", "--name", "web");
        assertThat(bobbin("exec", "-it", "web", "sh"))
                .extracting(Result::code, Result::err)
                .containsExactly(
                        125,
                        "bobbin: -t with -i needs a terminal as standard input, and it is none: leave out -t."
                                + " See bobbin exec --help.\n");
        assertThat(bobbin("run", "-it", "--", "sh").code()).isEqualTo(125);
        assertThat(bobbin("exec", "-it", "--json", "web", "sh").err()).contains("say one of them");
        assertThat(bobbin("exec", "-t", "web", "sh", "-c", "test -t 0 && echo yes; exit 3"))
                .extracting(Result::code, Result::out)
                .containsExactly(3, "yes\r\n");
        assertThat(bobbin("attach", "--no-stdin", "web").err()).contains("terminal: the job has none");
        assertThat(bobbin("attach", "--no-stdin", "nobody").err()).contains("there is no sandbox \"nobody\"");
        assertThat(bobbin("attach", "web").err()).contains("Standard input is no terminal");
        assertThat(bobbin("attach", "--detach-keys", "ctrl-", "--no-stdin", "web")
                        .err())
                .contains("there is no key \"ctrl-\"");
        assertThat(shell("printf in | " + line("exec", "-i", "web", "cat")).out())
                .isEqualTo("in");
    }
}
