package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.ImageReference;
import dev.bobbin.image.TestImages;
import dev.bobbin.image.store.PrunePolicy;
import dev.bobbin.runner.Capability;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.Rights;
import dev.bobbin.runner.SandboxState;
import dev.bobbin.runner.Stdin;
import dev.bobbin.runner.net.NetworkConfig;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Rights that are asked for by name, as the kernel says that a process has them.
@Timeout(60)
class RightsIT {
    private static final int SIGKILL = 9;
    private static final Rights PTRACE = new Rights(false, Set.of(Capability.SYS_PTRACE, Capability.SETFCAP));
    private static final Rights GAIN = new Rights(true, Set.of());
    private static final Rights BOTH = new Rights(true, Set.of(Capability.SYS_PTRACE, Capability.SETFCAP));
    private static final String NO_MKDIR = """
            {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
             "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}
            """;
    private static final String PAM = """
            auth required pam_permit.so
            account required pam_permit.so
            session required pam_permit.so
            """;

    @TempDir
    private Path directory = Path.of("");

    private TestHost host;

    @BeforeEach
    void open() throws Exception {
        host = open(BOTH);
    }

    @AfterEach
    void close() throws Exception {
        host.images().prune(new PrunePolicy(Duration.ZERO, null));
        host.close();
    }

    private TestHost open(Rights allowed) throws Exception {
        var profile = Files.writeString(directory.resolve("no-mkdir.json"), NO_MKDIR);
        return TestHost.openAllowing(
                directory.resolve("host"), true, NetworkConfig.STANDARD, allowed, Map.of("no-mkdir", profile));
    }

    private TestHost.Request caps() throws Exception {
        return host.request("./probe", "caps").workdir("/w").probe();
    }

    private static String status(String bounding, String effective, int noNewPrivileges) {
        return "CapInh:\t0000000000000000\nCapPrm:\t%s\nCapEff:\t%s\nCapBnd:\t%s\nCapAmb:\t0000000000000000\n"
                        .formatted(effective, effective, bounding)
                + "NoNewPrivs:\t" + noNewPrivileges + "\nSeccomp:\t2\n";
    }

    @Test
    void rootHasTheCapabilitiesThatItNamesAndNoOthers() throws Exception {
        var mask = "00000000800c05fb";
        assertThat(caps().rights(PTRACE).run().stdout()).isEqualTo(status(mask, mask, 1));
        assertThat(caps().rights(PTRACE).user("1000").run().stdout()).isEqualTo(status(mask, "0000000000000000", 1));
        var usual = "00000000000405fb";
        assertThat(caps().run().stdout()).isEqualTo(status(usual, usual, 1));
    }

    @Test
    void newPrivilegesLeaveNothingOfHowTheFiltersWereLoaded() throws Exception {
        var usual = "00000000000405fb";
        var none = "0000000000000000";
        assertThat(caps().rights(GAIN).run().stdout()).isEqualTo(status(usual, usual, 0));
        assertThat(caps().rights(GAIN).user("1000").run().stdout()).isEqualTo(status(usual, none, 0));
        for (var user : List.of("0", "1000")) {
            var filtered = caps().rights(GAIN).user(user).seccomp("no-mkdir").run();
            assertThat(filtered.stdout()).isEqualTo(status(usual, user.equals("0") ? usual : none, 0));
            var refused = host.request("mkdir", "/tmp/x")
                    .rights(GAIN)
                    .user(user)
                    .seccomp("no-mkdir")
                    .env("LC_ALL", "C")
                    .run();
            assertThat(refused.stderr()).contains("No space left on device");
        }
    }

    private void imageWithSetuidProgram() throws Exception {
        var layer = TestImages.tar()
                .file("probe", Files.readAllBytes(Path.of("target/native/probe")), 04755)
                .bytes();
        host.images()
                .commit(
                        "",
                        new ImageReference("setuid"),
                        null,
                        TestImages.config("/probe", "ids"),
                        List.of(TestImages.stream(layer)));
    }

    @Test
    void onlyWithNewPrivilegesASetuidProgramOfAnImageIsItsOwner() throws Exception {
        imageWithSetuidProgram();
        var may = host.request().image("setuid").user("1000").rights(GAIN).run();
        assertThat(may.stderr()).isEmpty();
        assertThat(may.stdout()).contains("Uid:\t1000\t0\t0\t0\n");
        var usual = host.request().image("setuid").user("1000").run();
        assertThat(usual.stdout()).contains("Uid:\t1000\t1000\t1000\t1000\n");
        var caps = host.request("/probe", "caps").image("setuid").user("1000").rights(GAIN);
        var usualMask = "00000000000405fb";
        assertThat(caps.run().stdout()).isEqualTo(status(usualMask, usualMask, 0));
    }

    @Test
    void suMakesRootOfAUserWhoRemainsNobodyOutside() throws Exception {
        var script =
                "su -c 'id -u; cat /proc/self/uid_map; mkdir /mine; stat -c %u /mine; grep Seccomp: /proc/self/status'";
        var may = host.request("sh", "-c", script)
                .user("1000")
                .rights(GAIN)
                .workdir("/")
                .file("etc/pam.d/su", PAM, 0644)
                .run();
        assertThat(may.stderr()).isEmpty();
        assertThat(may.stdout()).matches("0\n +0 +\\d{8,} +65536\n0\nSeccomp:\t2\n");
        var usual = host.request("sh", "-c", script)
                .user("1000")
                .workdir("/")
                .file("etc/pam.d/su", PAM, 0644)
                .run();
        assertThat(usual.exitCode()).isNotZero();
        assertThat(usual.stdout()).isEmpty();
    }

    @Test
    void aSandboxKeepsThemForExecsAndAfterEveryStart() throws Exception {
        var sandbox = host.place().probe().workdir("/w").rights(BOTH).create();
        var mask = "00000000800c05fb";
        var all = status(mask, mask, 0);
        assertThat(host.exec(sandbox, "./probe", "caps").run().stdout()).isEqualTo(all);
        assertThat(sandbox.stop(SIGKILL, Duration.ZERO)).isEmpty();
        assertThat(sandbox.start()).isEmpty();
        host.restart();
        sandbox = host.runtime().sandboxes().find(sandbox.id()).orElseThrow();
        assertThat(sandbox.rights()).isEqualTo(BOTH);
        assertThat(host.exec(sandbox, "./probe", "caps").run().stdout()).isEqualTo(all);
        var own =
                host.place("./probe", "caps").probe().workdir("/w").rights(BOTH).create();
        assertThat(TestHost.Result.of(own.own().orElseThrow()).stdout()).isEqualTo(all);
    }

    @Test
    void refusesWhatTheHostDoesNotAllow() throws Exception {
        var before = host.place().rights(BOTH).create();
        host.allow(Rights.allowed(List.of("CAP_SETFCAP")));
        host.restart();
        var gain = host.request("true").rights(GAIN).refusal();
        assertThat(gain.reason()).isEqualTo(Refusal.Reason.FORBIDDEN);
        assertThat(gain.field()).isEqualTo("allow_new_privileges");
        assertThat(gain.detail())
                .isEqualTo("allow_new_privileges: new privileges are not for jobs unless host.rights.allowed names"
                        + " new-privileges");
        var ptrace = host.request("true").rights(PTRACE).refusal();
        assertThat(ptrace.field()).isEqualTo("capabilities.add");
        assertThat(ptrace.detail())
                .isEqualTo("capabilities.add: CAP_SYS_PTRACE is not for jobs unless host.rights.allowed names"
                        + " CAP_SYS_PTRACE");
        assertThat(host.request("true")
                        .rights(new Rights(false, Set.of(Capability.SETFCAP, Capability.CHOWN)))
                        .run()
                        .exitCode())
                .isZero();
        var sandbox = host.runtime().sandboxes().find(before.id()).orElseThrow();
        assertThat(host.exec(sandbox, "true").refusal().reason()).isEqualTo(Refusal.Reason.FORBIDDEN);
        assertThat(sandbox.stop(SIGKILL, Duration.ZERO)).isEmpty();
        assertThat(sandbox.start().map(Refusal::reason)).contains(Refusal.Reason.FORBIDDEN);
        assertThat(sandbox.state()).isEqualTo(SandboxState.STOPPED);
    }

    @Test
    void oneThatWasForkedLateHasInputTerminalFilesAndAnEndLikeAnyOther() throws Exception {
        var echo = host.request("sh", "-c", "cat; cat given; ls /proc/self/fd | wc -l; test -t 0; exit 5")
                .rights(GAIN)
                .workdir("/w")
                .file("given", "file ", 0644)
                .stdin(new Stdin.Bytes("input ".getBytes(StandardCharsets.UTF_8)))
                .run();
        assertThat(echo.stdout()).isEqualTo("input file 4\n");
        assertThat(echo.exitCode()).isEqualTo(5);
        var terminal = host.request("sh", "-c", "tty; stty size; echo err >&2")
                .rights(GAIN)
                .terminal(20, 70)
                .run();
        assertThat(terminal.stdout().replace("\r\n", "|")).matches("/dev/pts/\\d+\\|20 70\\|err\\|");
        assertThat(host.request("no-such-program").rights(GAIN).run().exitCode())
                .isEqualTo(127);
        assertThat(host.request("sh", "-c", "kill -9 $$").rights(GAIN).run().exitCode())
                .isEqualTo(137);
        var empty = host.request("sh", "-c", "cat | wc -c; echo out > /dev/stdout")
                .user("1000")
                .rights(GAIN)
                .run();
        assertThat(empty.stdout()).isEqualTo("0\nout\n");
    }

    @Test
    void nothingGainedReachesPidOneOrTheMachine() throws Exception {
        for (var attempt : List.of(
                "mount -t tmpfs x /mnt",
                "mknod /tmp/x c 1 3",
                "kill -9 1",
                "test -e /proc/1/exe",
                "cat /proc/1/environ",
                "unshare -U true",
                "hostname other",
                "date -s 2001-01-01")) {
            var result = host.request("sh", "-c", attempt).rights(BOTH).run();
            assertThat(result.exitCode()).as(attempt).isNotZero();
        }
    }
}
