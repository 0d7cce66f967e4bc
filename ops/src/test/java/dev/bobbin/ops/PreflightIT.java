package dev.bobbin.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The checks of this machine and of real sandboxes on it, as a command and while a server runs.
@Timeout(90)
final class PreflightIT extends TypedCommands {
    @Test
    void passesWithoutServerAndLeavesNothing() throws Exception {
        var result = bobbin("preflight");

        assertThat(result.code()).as(result.toString()).isZero();
        assertThat(result.out().lines())
                .hasSizeGreaterThan(30)
                .allMatch(line -> line.startsWith("pass ") || line.startsWith("skipped "))
                .anyMatch(line -> line.matches("pass +user-namespace +root inside is nobody outside"))
                .anyMatch(line -> line.matches("pass +limit-memory +killed at 32 MiB"));
        try (var left = Files.walk(directory)) {
            assertThat(left.filter(path -> !Files.isDirectory(path))).isEmpty();
        }
    }

    @Test
    void isRepeatedByAServerAndTold() throws Exception {
        var server = serveWith("BOBBIN_PREFLIGHT_EVERY=1s");
        var deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (!shell(curl("/metrics")).out().contains("bobbin_isolation_check")) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(100);
        }
        var metrics =
                shell(curl("/metrics") + " | grep ^bobbin_isolation_check").out();

        assertThat(metrics.lines())
                .hasSizeGreaterThan(30)
                .allMatch(line -> line.endsWith(" 1.0"))
                .anyMatch(line -> line.contains("{check=\"capabilities\"}"));
        assertThat(shell(curl("/health/ready")).out()).contains("\"ready\"");
        assertThat(shell(curl("/v1/preflight")).out()).startsWith("{\"verdict\":\"pass\"");
        assertThat(server.isAlive()).isTrue();
    }

    @Test
    void asksTheServerThatRuns() throws Exception {
        serveWith("BOBBIN_PREFLIGHT_EVERY=0");

        assertThat(shell(curl("/v1/preflight")).out()).contains("no checks were made yet");
        assertThat(bobbin("preflight", "--json"))
                .satisfies(result ->
                        assertThat(result.code()).as(result.toString()).isZero())
                .satisfies(result -> assertThat(result.out()).startsWith("{\"verdict\":\"pass\""));
        assertThat(shell(curl("/v1/preflight")).out()).startsWith("{\"verdict\":\"pass\"");
        var stranger = shell("curl -s -o /dev/null -w %{http_code} http://127.0.0.1:" + port() + "/v1/preflight");
        assertThat(stranger.out()).isEqualTo("403");
    }

    @Test
    void saysWhatTheConfigurationGaveUp() throws Exception {
        serveWith("BOBBIN_PREFLIGHT_EVERY=0", "BOBBIN_HOST_SECCOMP=off", "BOBBIN_HOST_WRITABLE_BIND_PREFIXES=/srv");

        var result = bobbin("preflight");

        assertThat(result.code()).as(result.toString()).isEqualTo(3);
        assertThat(result.out().lines().filter(line -> line.startsWith("degraded")))
                .extracting(line -> line.split(" +", 3)[1])
                .contains("seccomp", "system-calls", "foreign-calls", "keyrings", "sockets", "host-binds");
        assertThat(result.out().lines()).noneMatch(line -> line.startsWith("fail"));
        assertThat(result.out()).contains("(host.seccomp: off)", "-> remove host.seccomp");
        assertThat(shell(curl("/health/ready")).out()).contains("\"ready\"");
        assertThat(shell(curl("/metrics")).out())
                .contains("bobbin_isolation_check{check=\"seccomp\"} 0.0")
                .contains("bobbin_isolation_check{check=\"capabilities\"} 1.0");
    }

    @Test
    void provesNothingWithoutAnImage() throws Exception {
        serveWith("BOBBIN_PREFLIGHT_EVERY=0", "BOBBIN_HOST_IMAGE=off", "BOBBIN_DEFAULT_IMAGE=absent:1");

        var result = bobbin("preflight");

        assertThat(result.code()).as(result.toString()).isZero();
        assertThat(result.out()).containsPattern("skipped +sandbox +image: there is no image");
        assertThat(shell(curl("/health/ready")).out()).contains("\"ready\"");
    }

    @Test
    void takesAServerOutOfWorkThatCannotProveItself() throws Exception {
        serveWith("BOBBIN_PREFLIGHT_EVERY=0");
        assertThat(shell(curl("/health/ready")).out()).contains("\"ready\"");
        var sandboxes = directory.resolve("data/sandboxes");
        assertThat(shell("mv " + sandboxes + " " + sandboxes + ".away").code()).isZero();

        var result = bobbin("preflight");

        assertThat(result.code()).as(result.toString()).isEqualTo(1);
        assertThat(result.out()).containsPattern("fail +sandbox +cannot ");
        assertThat(shell(curl("/health/ready") + " -w ' %{http_code}'").out()).contains("\"degraded\"", " 503");
        assertThat(shell("mv " + sandboxes + ".away " + sandboxes).code()).isZero();
    }

    @Test
    void saysWhyThereCanBeNoServer() throws Exception {
        Files.writeString(directory.resolve("file"), "");
        var result = shell("BOBBIN_DATA_DIR=" + directory + "/file " + line("preflight"));

        assertThat(result.code()).isEqualTo(1);
        assertThat(result.out())
                .containsPattern("pass +host-kernel +Linux")
                .containsPattern("fail +sandbox +no server");
    }

    @Test
    void needsLibseccompForAnotherProfileOnlyAndSaysSo() throws Exception {
        var profile = directory.resolve("profile.json");
        Files.writeString(profile, "{\"defaultAction\": \"SCMP_ACT_ALLOW\"}");
        var without =
                "unshare -m --propagation private bash -c 'for f in /usr/lib/*/libseccomp.so* /lib/*/libseccomp.so*"
                        + " /usr/lib64/libseccomp.so*; do [ -e $f ] && mount --bind /dev/null $(readlink -f $f); done; ";

        assertThat(shell(without + line("preflight") + "'").code()).isZero();

        var refused = shell(without + "BOBBIN_HOST_SECCOMP=" + profile + " " + line("preflight") + "'");
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.out()).containsPattern("fail +sandbox +no server can be: .*libseccomp.*host.seccomp: off");

        var accepted = shell(without + "BOBBIN_HOST_SECCOMP=off " + line("preflight") + "'");
        assertThat(accepted.code()).as(accepted.toString()).isEqualTo(3);
        assertThat(accepted.out()).containsPattern("degraded +seccomp +every system call is let through");
    }

    @Test
    void judgesWhatIsSeenElsewhere() throws Exception {
        var program = directory.resolve("facts").toString();
        assertThat(bobbin("preflight", "--program", program).code()).isZero();
        var bare = "unshare -fmpui --mount-proc --propagation private " + program + " </dev/null";

        var result = shell(bare + " | " + line("preflight", "--facts", "-"));

        assertThat(result.code()).isEqualTo(1);
        assertThat(result.out())
                .containsPattern("fail +no-new-privileges")
                .containsPattern("fail +mounts +mount-tmpfs: done")
                .containsPattern("fail +namespaces +the machine's net namespace");
        var machine = shell(program + " </dev/null | " + line("preflight", "--facts", "-"));
        assertThat(machine.out()).containsPattern("fail +mounts +nothing was tried in the machine's own");
    }

    private int port() throws Exception {
        var log = Files.readString(directory.resolve("log"));
        return Integer.parseInt(log.replaceFirst("(?s).*ready on http://127.0.0.1:(\\d+).*", "$1"));
    }

    private String curl(String path) {
        return "curl -s --unix-socket " + directory + "/run/api.sock http://unix" + path;
    }

    private Process serveWith(String... settings) throws Exception {
        var log = directory.resolve("log");
        var server = start(List.of(
                "bash",
                "-c",
                String.join(" ", settings) + " exec " + line("serve", "--listen", "127.0.0.1:0", "--pool", "2") + " >"
                        + log + " 2>&1"));
        var deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (!Files.exists(log) || !Files.readString(log).contains("ready on")) {
            assertThat(server.isAlive()).isTrue();
            assertThat(System.nanoTime()).isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(50);
        }
        return server;
    }
}
