package dev.bobbin.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The commands for sandboxes that last as a person uses them, each a process of its own, against a real server.
@Timeout(90)
final class SandboxCommandsIT extends TypedCommands {
    @BeforeEach
    void open() throws IOException {
        serve("--config", allowing());
    }

    @AfterEach
    void close() throws Exception {
        removeSandboxes();
    }

    private String allowing() throws IOException {
        var settings = "host:\n  rights:\n    allowed: [new-privileges, cap_sys_ptrace]\n";
        return Files.writeString(directory.resolve("settings.yaml"), settings).toString();
    }

    @Test
    void givesRightsThatTheServerAllows() throws Exception {
        var status = "grep -E 'NoNewPrivs|CapEff' /proc/self/status";
        var ran = bobbin("run", "--allow-new-privileges", "--cap-add", "SYS_PTRACE", "--", "sh", "-c", status);
        assertThat(ran.out()).as(ran.err()).isEqualTo("CapEff:\t00000000000c05fb\nNoNewPrivs:\t0\n");
        var made = bobbin("create", "--name", "traced", "--cap-add", "CAP_SYS_PTRACE");
        assertThat(made.code()).as(made.err()).isZero();
        assertThat(bobbin("inspect", "traced").out())
                .contains("\"capabilities\":{\"add\":[\"CAP_SYS_PTRACE\"]}")
                .doesNotContain("allow_new_privileges");
        assertThat(bobbin("exec", "traced", "--", "sh", "-c", status).out())
                .isEqualTo("CapEff:\t00000000000c05fb\nNoNewPrivs:\t1\n");
        assertThat(bobbin("run", "--cap-add", "SETFCAP", "--", "true").err())
                .contains("capabilities.add: CAP_SETFCAP is not for jobs unless host.rights.allowed names CAP_SETFCAP");
    }

    @Test
    void makesListsAndEndsSandboxes() throws Exception {
        var made = bobbin("create", "--name", "web", "-l", "team=blue", "-e", "A=b", "-m", "64MiB", "--ttl", "1h");
        assertThat(made.code()).as(made.err()).isZero();
        var id = made.out().strip();
        assertThat(id).matches("[0-9a-f-]{36}");
        bobbin("create", "--name", "brief", "--", "sh", "-c", "echo out; echo err >&2; exit 3");

        assertThat(bobbin("ps").out())
                .startsWith("ID ")
                .hasLineCount(2)
                .containsPattern(id + " +web +running +host +\\d+s +- +\\(idles\\)");
        assertThat(bobbin("ps", "-a").out()).hasLineCount(3).containsPattern("brief +exited 3 +host");
        assertThat(bobbin("ps", "-q").out()).isEqualTo(id + "\n");
        assertThat(bobbin("ps", "-a", "--label", "team=blue", "--format", "json")
                        .out())
                .hasLineCount(1)
                .startsWith("{\"id\":\"" + id + "\"")
                .contains("\"memory\":67108864");
        assertThat(bobbin("inspect", "web").out()).contains("\"id\":\"" + id + "\"", "\"expires_at\":\"");
        assertThat(bobbin("logs", "brief"))
                .extracting(Result::code, Result::out, Result::err)
                .containsExactly(0, "out\n", "err\n");
        assertThat(bobbin("logs", "--stream", "stderr", "-f", "brief").out()).isEmpty();
        assertThat(bobbin("stats").out()).startsWith("SANDBOX ").hasLineCount(2).containsPattern("web +[0-9.]+ s +");
        assertThat(bobbin("stats", "--format", "json", id).out())
                .startsWith("{\"sandbox\":\"" + id + "\"")
                .contains("\"memory\":{\"bytes\":");
        assertThat(bobbin("stats", "brief").code()).isEqualTo(1);
        assertThat(bobbin("rename", "web", "site").code()).isZero();
        assertThat(bobbin("rm", "site", "brief"))
                .extracting(Result::code, Result::out, Result::err)
                .containsExactly(1, "brief\n", "bobbin: sandbox \"site\" is running: stop it first, or say -f\n");
        assertThat(bobbin("stop", "-t", "1", "site").out()).isEqualTo("site\n");
        assertThat(bobbin("kill", "site").code()).isEqualTo(1);
        assertThat(bobbin("start", "site").out()).isEqualTo("site\n");
        assertThat(bobbin("restart", "-t", "0", "site").code()).isZero();
        assertThat(bobbin("kill", "-s", "KILL", id).code()).isZero();
        assertThat(bobbin("kill", "-s", "NOPE", id).err()).contains("signal: must be a signal such as");
        assertThat(bobbin("rm", id).code()).isZero();
        assertThat(bobbin("ps", "-aq").out()).isEmpty();
    }

    @Test
    void limitsProcessorsOpenFilesAndRatesOfTheDisk() throws Exception {
        var ran = bobbin(
                "run",
                "--cpuset-cpus",
                "0",
                "--cpu-weight",
                "50",
                "--ulimit",
                "nofile=200",
                "--read-bps",
                "50MiB",
                "--write-iops",
                "500",
                "--",
                "sh",
                "-c",
                "nproc; ulimit -n");
        assertThat(ran.out()).as(ran.err()).isEqualTo("1\n200\n");
        assertThat(bobbin("run", "--seccomp", "restrictive", "--", "chroot", "/", "true")
                        .code())
                .isEqualTo(125);
        assertThat(bobbin("run", "--seccomp", "loose", "--", "true").err())
                .contains("seccomp: this host has no profile \"loose\"");
        assertThat(bobbin("run", "--ulimit", "core=1", "--", "true").err()).contains("limits.core");
        assertThat(bobbin("run", "--cpuset-cpus", "x", "--", "true").err()).contains("cpuset");
        assertThat(bobbin("volume", "create", "--size", "1", "tiny").err()).contains("size");
    }

    @Test
    void mountsVolumesAndDirectoriesOfTheMachine() throws Exception {
        assertThat(bobbin("volume", "create", "-l", "team=blue", "data").out()).isEqualTo("data\n");
        var written = bobbin("run", "-v", "data:/data", "--", "sh", "-c", "echo kept > /data/file");
        assertThat(written.code()).as(written.err()).isZero();
        var made = bobbin(
                "create",
                "--name",
                "web",
                "-v",
                "data:/in:ro",
                "--mount",
                "type=tmpfs,target=/t,size=1MiB",
                "--mount",
                "src=more,dst=/more,readonly=false");
        assertThat(made.code()).as(made.err()).isZero();
        assertThat(bobbin("exec", "web", "sh", "-c", "cat /in/file; touch /in/x || stat -c %a /t; touch /more/x")
                        .out())
                .isEqualTo("kept\n1777\n");

        assertThat(bobbin("volume", "ls").out()).startsWith("NAME ").containsPattern("(?m)^data +20.* 1$");
        assertThat(bobbin("volume", "inspect", "data").out()).contains("\"team\":\"blue\"", "\"used_by\":[\"sandbox ");
        var used = bobbin("volume", "rm", "data", "none");
        assertThat(used.code()).isEqualTo(1);
        assertThat(used.err()).contains("\"data\" is used by sandbox ", "there is no volume \"none\"");
        assertThat(bobbin("volume", "prune").code()).isEqualTo(2);
        bobbin("rm", "-f", "web");
        assertThat(bobbin("volume", "rm", "more").out()).isEqualTo("more\n");
        assertThat(bobbin("volume", "prune", "-f").out()).isEqualTo("removed data\n");
        assertThat(bobbin("volume", "ls", "-q").out()).isEmpty();

        assertThat(bobbin("run", "-v", "/etc:/x:ro", "--", "ls", "/x"))
                .extracting(Result::code, Result::out)
                .containsExactly(125, "");
        assertThat(bobbin("run", "-v", "data", "--", "true"))
                .extracting(Result::code, Result::out)
                .containsExactly(125, "");
        assertThat(bobbin("run", "--mount", "type=nfs,target=/x", "--", "true").err())
                .contains("mounts[0]");
        assertThat(bobbin("run", "--run-dir", directory + "/empty", "-v", "data:/data", "--", "true"))
                .extracting(Result::code, Result::err)
                .containsExactly(
                        125,
                        "bobbin: Volumes belong to a server, and none is at " + directory
                                + "/empty/api.sock: start one with \"bobbin serve\", or say with --run-dir where it is.\n");
    }

    @Test
    void execEndsAsItsCommandDid() throws Exception {
        bobbin("create", "--name", "web", "-e", "A=from sandbox", "-w", "/home");

        assertThat(bobbin("exec", "web", "sh", "-c", "echo out; echo err >&2; exit 7"))
                .extracting(Result::code, Result::out, Result::err)
                .containsExactly(7, "out\n", "err\n");
        assertThat(bobbin("exec", "web", "--", "ls", "-d", "-l", "/").out()).endsWith(" /\n");
        assertThat(bobbin(
                                "exec",
                                "-e",
                                "B=1 2",
                                "-w",
                                "/tmp",
                                "-u",
                                "nobody",
                                "web",
                                "sh",
                                "-c",
                                "echo $A $B; pwd; id -un")
                        .out())
                .isEqualTo("from sandbox 1 2\n/tmp\nnobody\n");
        assertThat(bobbin("exec", "web", "nosuch").code()).isEqualTo(127);
        assertThat(bobbin("exec", "web", "sh", "-c", "kill -TERM $$").code()).isEqualTo(143);
        assertThat(bobbin("exec", "--time", "300ms", "web", "sleep", "30"))
                .extracting(Result::code, Result::err)
                .containsExactly(137, "bobbin: timed out after 300ms\n");
        assertThat(bobbin("exec", "--json", "web", "echo", "hi").out())
                .contains("\"stdout\":\"hi\\n\"", "\"sandbox\":");
        assertThat(bobbin("exec", "nobody", "true"))
                .extracting(Result::code, Result::err)
                .containsExactly(125, "bobbin: sandbox: there is no sandbox \"nobody\"\n");
        assertThat(bobbin("exec", "--nonsense", "web", "true").code()).isEqualTo(125);
        assertThat(bobbin("exec", "--run-dir", directory + "/empty", "web", "true"))
                .extracting(Result::code, Result::err)
                .containsExactly(
                        125,
                        "bobbin: No server is at " + directory
                                + "/empty/api.sock: start one with \"bobbin serve\", or say with --run-dir where it is.\n");
    }

    @Test
    void execWorksInPipesAndSubstitutions() throws Exception {
        bobbin("create", "--name", "web");

        assertThat(shell("x=$(" + line("exec", "web", "echo", "hi") + "); echo \"[$x]\"")
                        .out())
                .isEqualTo("[hi]\n");
        assertThat(shell("head -c 3000000 /dev/urandom >" + directory + "/in; " + line("exec", "-i", "web", "cat")
                                + " <" + directory + "/in | cmp - " + directory + "/in && echo same")
                        .out())
                .isEqualTo("same\n");
        var begun = System.nanoTime();
        var silent = shell(line("exec", "web", "sh", "-c", "'echo a; sleep 2973'") + " | head -1");
        assertThat(silent.out()).isEqualTo("a\n");
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(10));
        assertThat(shell(line("exec", "web", "yes") + " | head -2; echo ${PIPESTATUS[0]}")
                        .out())
                .isEqualTo("y\ny\n141\n");
        awaitNone("sleep 2973");
    }

    @Test
    void execPassesSignalsOn() throws Exception {
        bobbin("create", "--name", "web");
        var trap = start(command(
                "exec",
                "web",
                "sh",
                "-c",
                "trap 'echo heard; exit 9' INT USR1; echo up; while :; do sleep 0.05; done"));
        assertThat(trap.inputReader(StandardCharsets.UTF_8).readLine()).isEqualTo("up");

        shell("kill -USR1 " + trap.pid());

        assertThat(trap.inputReader(StandardCharsets.UTF_8).readLine()).isEqualTo("heard");
        assertThat(trap.waitFor()).isEqualTo(9);
        var deaf = start(command("exec", "web", "sh", "-c", "trap '' INT; echo up; sleep 2974; :"));
        assertThat(deaf.inputReader(StandardCharsets.UTF_8).readLine()).isEqualTo("up");
        shell("kill -INT " + deaf.pid());
        assertThat(deaf.waitFor(500, TimeUnit.MILLISECONDS)).isFalse();
        shell("kill -INT " + deaf.pid());
        assertThat(deaf.waitFor()).isEqualTo(130);
        awaitNone("sleep 2974");
    }

    @Test
    void detachedExecIsAJob() throws Exception {
        bobbin("create", "--name", "web");

        var job = bobbin("exec", "-d", "web", "sh", "-c", "echo a; sleep 1; echo b");

        assertThat(job.code()).as(job.err()).isZero();
        assertThat(bobbin("logs", "-f", job.out().strip()))
                .extracting(Result::code, Result::out)
                .containsExactly(0, "a\nb\n");
        assertThat(bobbin("exec", "-d", "nobody", "true").code()).isEqualTo(125);
    }
}
