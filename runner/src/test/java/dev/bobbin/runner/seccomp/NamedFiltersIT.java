package dev.bobbin.runner.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.SandboxState;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.host.LastingSandbox;
import dev.bobbin.runner.host.TestHost;
import dev.bobbin.runner.kernel.Abi;
import dev.bobbin.runner.sandbox.SandboxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Profiles that a job asks for, on the real kernel.
@Timeout(60)
class NamedFiltersIT {
    private static final int SIGKILL = 9;
    private static final String FULL = "mkdir: cannot create directory '/tmp/x': No space left on device\n";
    private static final String NO_MKDIR = """
            {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
             "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}
            """;
    private static final String ALL = """
            {"defaultAction": "SCMP_ACT_ALLOW",
             "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64"]}
            """;

    @TempDir
    private Path directory = Path.of("");

    private TestHost open() throws IOException {
        return open(true, Map.of("no-mkdir", write("no-mkdir", NO_MKDIR), "all", write("all", ALL)));
    }

    private TestHost open(boolean last, Map<String, Path> profiles) throws IOException {
        return TestHost.openNaming(directory.resolve("host"), last, profiles);
    }

    @Test
    void forbidsAParkedProcessWhatOthersMay() throws Exception {
        try (var host = open()) {
            while (host.runtime().capacity().parked() == 0) {
                Thread.sleep(5);
            }
            try (var job = makesDirectory(host).seccomp("no-mkdir").start()) {
                assertThat(job.timeline().path()).isEqualTo(StartTimeline.Path.PARKED);
                assertThat(job.seccomp()).contains("no-mkdir");
                assertThat(TestHost.Result.of(job).stderr()).isEqualTo(FULL);
            }
            assertThat(makesDirectory(host).run().exitCode()).isZero();
        }
    }

    @Test
    void forbidsAUserAndInATerminalToo() throws Exception {
        try (var host = open()) {
            var user = makesDirectory(host).seccomp("no-mkdir").user("nobody").run();
            assertThat(user.stderr()).isEqualTo(FULL);
            var terminal =
                    makesDirectory(host).seccomp("no-mkdir").terminal(24, 80).run();
            assertThat(terminal.stdout()).isEqualTo(FULL.replace("\n", "\r\n"));
        }
    }

    @Test
    void refusesAProfileThatIsNotThere() throws Exception {
        try (var host = open()) {
            var expected = new Refusal(
                    Refusal.Reason.NO_SUCH_PROFILE,
                    "seccomp: this host has no profile \"loose\", but all, default, moderate, no-mkdir, restrictive",
                    "seccomp");
            assertThat(host.request("true").seccomp("loose").refusal()).isEqualTo(expected);
            assertThatThrownBy(() -> host.place().seccomp("loose").create()).hasMessageContaining(expected.detail());
        }
    }

    /// Asked about every number.
    @ParameterizedTest
    @ValueSource(strings = {"x86-64", "x32", "i386"})
    void givesNothingBackThatTheHostForbids(String abi) throws Exception {
        assumeTrue(Abi.ofMachine() == Abi.X86_64, "the ABIs are of x86 machines");
        try (var host = open()) {
            var usual = calls(host, abi).run();
            assertThat(usual.exitCode()).isZero();
            assertThat(calls(host, abi).seccomp("all").run().stdout()).isEqualTo(usual.stdout());
            assertThat(calls(host, abi).seccomp("default").run().stdout()).isEqualTo(usual.stdout());
        }
    }

    @ParameterizedTest
    @CsvSource({"default, 0, 0", "moderate, 1, 0", "restrictive, 1, 125"})
    void offersProfilesOfOurs(String profile, int traces, int changesRoot) throws Exception {
        try (var host = open(true, Map.of())) {
            assertThat(calls(host, "x86-64").seccomp(profile).run().exitCode()).isEqualTo(traces);
            assertThat(host.request("chroot", "/", "true")
                            .seccomp(profile)
                            .run()
                            .exitCode())
                    .isEqualTo(changesRoot);
            var usual = host.request("sh", "-c", "mkdir /tmp/a && cd /tmp/a && echo x | tee b && sleep 0.01 && rm b")
                    .seccomp(profile)
                    .run();
            assertThat(usual.stdout()).as(usual.toString()).isEqualTo("x\n");
        }
    }

    @Test
    void holdsForExecsAndAfterEveryStart() throws Exception {
        LastingSandbox sandbox;
        try (var host = open(false, Map.of("no-mkdir", write("no-mkdir", NO_MKDIR)))) {
            sandbox = host.place().seccomp("no-mkdir").create();
            assertThat(sandbox.seccomp()).contains("no-mkdir");
            forbids(host, sandbox);
            assertThat(sandbox.stop(SIGKILL, Duration.ZERO)).isEmpty();
            assertThat(sandbox.start()).isEmpty();
            forbids(host, sandbox);
            host.restart();
            sandbox = host.runtime().sandboxes().find(sandbox.id()).orElseThrow();
            assertThat(sandbox.seccomp()).contains("no-mkdir");
            forbids(host, sandbox);
            var own = host.place("mkdir", "/tmp/x")
                    .env("LC_ALL", "C")
                    .seccomp("no-mkdir")
                    .create();
            assertThat(TestHost.Result.of(own.own().orElseThrow()).stderr()).isEqualTo(FULL);
            own.remove();
        }
        try (var host = open(true, Map.of())) {
            var forgotten = host.runtime().sandboxes().find(sandbox.id()).orElseThrow();
            assertThat(host.exec(forgotten, "true").refusal().reason()).isEqualTo(Refusal.Reason.NO_SUCH_PROFILE);
            assertThat(forgotten.stop(SIGKILL, Duration.ZERO)).isEmpty();
            assertThat(forgotten.start().map(Refusal::reason)).contains(Refusal.Reason.NO_SUCH_PROFILE);
            assertThat(forgotten.state()).isEqualTo(SandboxState.STOPPED);
        }
    }

    @Test
    void refusesAtTheStartWhatIsNoProfile() throws Exception {
        var wrong = write("wrong", "{\"defaultAction\": \"SCMP_ACT_DANCE\"}");
        assertThatThrownBy(() -> open(true, Map.of("wrong", wrong)))
                .isInstanceOf(SandboxException.class)
                .hasMessage("host.seccomp-profiles: wrong: " + wrong + ": the action SCMP_ACT_DANCE is not known here");
        var absent = directory.resolve("absent.json");
        assertThatThrownBy(() -> TestHost.openNaming(directory.resolve("other"), true, Map.of("absent", absent)))
                .isInstanceOf(SandboxException.class)
                .hasMessage("host.seccomp-profiles: absent: cannot read " + absent);
    }

    private static void forbids(TestHost host, LastingSandbox sandbox) throws Exception {
        assertThat(host.sh(sandbox, "LC_ALL=C mkdir /tmp/x").stderr()).isEqualTo(FULL);
    }

    private static TestHost.Request makesDirectory(TestHost host) {
        return host.request("mkdir", "/tmp/x").env("LC_ALL", "C");
    }

    private static TestHost.Request calls(TestHost host, String abi) throws IOException {
        return host.request("./probe", "calls", abi).workdir("/w").probe();
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(directory.resolve(name + ".json"), text);
    }
}
