package dev.bobbin.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The program as a person uses it, each time a process of its own; real sandboxes.
@Timeout(60)
final class CommandLineIT extends TypedCommands {
    @Test
    void runsWithoutServerAndLeavesNothing() throws Exception {
        var result = bobbin("run", "--", "sh", "-c", "echo out; echo err >&2; exit 7");

        assertThat(result).extracting(Result::code, Result::out, Result::err).containsExactly(7, "out\n", "err\n");
        try (var left = Files.walk(directory)) {
            assertThat(left.filter(path -> !Files.isDirectory(path))).isEmpty();
        }
        assertThat(directory.resolve("run/embedded")).isEmptyDirectory();
    }

    @Test
    void commandSubstitutionGetsTheOutput() throws Exception {
        var result = shell("x=$(" + line("run", "--", "echo", "hi") + "); echo \"[$x]\"");

        assertThat(result.out()).isEqualTo("[hi]\n");
    }

    @Test
    void endsWithItsReader() throws Exception {
        serve();

        var begun = System.nanoTime();
        var result = shell(line("run", "--", "sh", "-c", "'echo a; sleep 30'") + " | head -1");

        assertThat(result.out()).isEqualTo("a\n");
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(10));
        var endless = shell(line("run", "--", "yes") + " | head -2; echo ${PIPESTATUS[0]}");
        assertThat(endless.out()).isEqualTo("y\ny\n141\n");
        assertThat(endless.err()).isEmpty();
    }

    @Test
    void tellsHowAJobEnded() throws Exception {
        serve();

        assertThat(bobbin("run", "--time", "500ms", "--", "sleep", "30"))
                .extracting(Result::code, Result::err)
                .containsExactly(137, "bobbin: timed out after 500ms\n");
        assertThat(bobbin("run", "--", "sh", "-c", "kill -TERM $$"))
                .extracting(Result::code, Result::err)
                .containsExactly(143, "bobbin: killed by SIGTERM\n");
        assertThat(bobbin("run", "--", "nosuch").code()).isEqualTo(127);
        assertThat(bobbin("run", "--image", "nosuch", "--pull", "never", "--", "true"))
                .extracting(Result::code, Result::err)
                .containsExactly(125, "bobbin: image: there is no image \"nosuch\"\n");
        assertThat(bobbin("run", "--memory", "plenty", "--", "true").code()).isEqualTo(125);
    }

    @Test
    void printsJson() throws Exception {
        serve();

        var result = bobbin("run", "--json", "--label", "a=b", "--", "sh", "-c", "echo hi; exit 3");

        assertThat(result.code()).isEqualTo(3);
        assertThat(result.out())
                .contains("\"exit_code\":3", "\"stdout\":\"hi\\n\"", "\"timeline\"")
                .endsWith("}\n");
    }

    @Test
    void passesStandardInputOn() throws Exception {
        serve();

        var bytes = shell("head -c 3000000 /dev/urandom >" + directory + "/in; " + line("run", "--stdin", "--", "cat")
                + " <" + directory + "/in | cmp - " + directory + "/in && echo same");
        var json = shell("printf 'x\\0' | " + line("run", "--stdin", "--json", "--", "cat"));

        assertThat(bytes.out()).isEqualTo("same\n");
        assertThat(json.out()).contains("\"stdout\":\"x\\u0000\"");
    }

    @Test
    void setsTheScene() throws Exception {
        serve();

        var result = bobbin(
                "run",
                "--env",
                "A=b c",
                "--workdir",
                "/tmp/new",
                "--user",
                "nobody",
                "--",
                "sh",
                "-c",
                "echo $A; pwd; id -un");

        assertThat(result.out()).isEqualTo("b c\n/tmp/new\nnobody\n");
    }

    @Test
    void interruptEndsTheJob() throws Exception {
        var server = serve();
        var run = start(command("run", "--", "sh", "-c", "echo up; exec sleep 2971"));
        assertThat(run.inputReader(StandardCharsets.UTF_8).readLine()).isEqualTo("up");

        shell("kill -INT " + run.pid());

        assertThat(run.waitFor()).isEqualTo(130);
        awaitNone("sleep 2971");
        assertThat(server.isAlive()).isTrue();
    }

    @Test
    void killedCommandTakesItsJobAlong() throws Exception {
        var run = start(command("run", "--", "sh", "-c", "echo up; exec sleep 2972"));
        assertThat(run.inputReader(StandardCharsets.UTF_8).readLine()).isEqualTo("up");

        run.destroyForcibly().waitFor();

        awaitNone("sleep 2972");
    }

    @Test
    void refusesWhoeverIsNotRoot() throws Exception {
        var readable = directory.resolve("program");
        shell("cp -r target/lib target/bobbin.jar " + Files.createDirectory(readable) + "; chmod -R a+rX " + directory);

        var result = shell("setpriv --reuid 65534 --regid 65534 --clear-groups " + JAVA + " -jar " + readable
                + "/bobbin.jar run --run-dir " + directory + "/nobody -- true");

        assertThat(result.code()).isEqualTo(125);
        assertThat(result.err()).contains("root").hasLineCount(1);
    }

    @Test
    void serverStopsInGoodOrder() throws Exception {
        var server = serve();
        assertThat(Files.exists(directory.resolve("run/api.sock"))).isTrue();

        server.destroy();

        assertThat(server.waitFor()).isEqualTo(143);
        assertThat(Files.exists(directory.resolve("run/api.sock"))).isFalse();
    }

    @Test
    void explainsWhyItCannotServe() throws Exception {
        serve();

        assertThat(bobbin("serve", "--listen", "127.0.0.1:0"))
                .extracting(Result::code)
                .isEqualTo(1);
        assertThat(bobbin("serve", "--listen", "0.0.0.0:0").err())
                .contains("BOBBIN_API_TOKEN")
                .hasLineCount(1);
        try (var taken = new ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress())) {
            var refused = bobbin(
                    "serve",
                    "--run-dir",
                    directory + "/other",
                    "--data-dir",
                    directory + "/other-data",
                    "--listen",
                    "127.0.0.1:" + taken.getLocalPort());
            assertThat(refused.code()).isEqualTo(1);
            assertThat(refused.err())
                    .contains("Cannot listen on 127.0.0.1:" + taken.getLocalPort())
                    .hasLineCount(1);
        }
    }

    @Test
    void answersProbesAndPrometheus() throws Exception {
        serve();
        bobbin("run", "--", "true");
        var curl = "curl -s --unix-socket " + directory + "/run/api.sock -w '\\n%{http_code} %{content_type}\\n' ";

        assertThat(shell(curl + "http://unix/health/live").out()).contains("\"live\"", "200 application/json");
        assertThat(shell(curl + "http://unix/health/ready").out()).contains("\"ready\"", "200 application/json");
        assertThat(shell(curl + "http://unix/metrics").out())
                .contains(
                        "bobbin_jobs_ended_total{cause=\"exited\",kind=\"run\"} 1.0",
                        "bobbin_start_phase_seconds_bucket{path=\"parked\",phase=\"exec\",le=\"1.0E-4\"}",
                        "200 text/plain; version=0.0.4; charset=utf-8");
    }
}
