package dev.bobbin.runner.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.runner.host.TestHost;
import dev.bobbin.runner.sandbox.SandboxException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A profile that the machine's owner brings.
@Timeout(60)
class OwnProfileIT {
    @TempDir
    private Path directory = Path.of("");

    @Test
    void decidesInPlaceOfOurs() throws Exception {
        var profile = write("""
                {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
                 "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}
                """);
        try (var host = TestHost.openWithProfile(directory.resolve("host"), profile)) {
            assertThat(host.sh("mkdir /tmp/x; ls /tmp").stderr()).contains("No space left on device");
            var sandbox = host.place().create();
            assertThat(host.sh(sandbox, "mkdir /tmp/x; ls /tmp").stderr()).contains("No space left on device");
        }
    }

    @Test
    void isRefusedAtTheStartIfItIsNone() throws Exception {
        var profile = write("{\"defaultAction\": \"SCMP_ACT_DANCE\"}");
        assertThatThrownBy(() -> TestHost.openWithProfile(directory.resolve("host"), profile))
                .isInstanceOf(SandboxException.class)
                .hasMessage("host.seccomp: " + profile + ": the action SCMP_ACT_DANCE is not known here");
    }

    private Path write(String text) throws Exception {
        return Files.writeString(directory.resolve("profile.json"), text);
    }
}
