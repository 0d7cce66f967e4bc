package dev.bobbin.runner.escape;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.host.TestHost;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Parts of the kernel that most escapes went through and no ordinary job needs.
class KernelInterfacesIT extends Attacked {
    @Test
    void areNotThere() throws Exception {
        var names = new String[] {
            "io_uring",
            "userfaultfd",
            "bpf",
            "perf_event_open",
            "finit_module",
            "kexec_load",
            "reboot",
            "swapon",
            "clock_settime",
            "sethostname",
            "syslog",
            "open_by_handle_at",
            "personality",
            "kcmp"
        };
        assertThat(attempts.of(names))
                .hasSize(names.length)
                .allSatisfy((_, answer) -> assertThat(answer).isEqualTo("EPERM"));
    }

    @Test
    void keepNoKeysForAnybody() throws Exception {
        assertThat(attempts.of("keyctl", "add_key", "request_key", "i386-keyctl"))
                .isEqualTo(
                        Map.of("keyctl", "EPERM", "add_key", "EPERM", "request_key", "EPERM", "i386-keyctl", "EPERM"));
    }

    @Test
    void makeNoSocketThatLeavesTheSandbox() throws Exception {
        assertThat(attempts.of("vsock", "alg", "packet", "raw", "uevent"))
                .containsEntry("vsock", "EPERM")
                .containsEntry("alg", "EPERM")
                .containsEntry("packet", "EPERM")
                .containsEntry("raw", "EPERM")
                .containsEntry("uevent", "EPROTONOSUPPORT");
    }

    @Test
    void areNotReachedBy32BitCallsEither() throws Exception {
        assertThat(attempts.of("i386-vsock", "i386-socketcall-vsock", "i386-mount", "i386-unshare", "x32-keyctl"))
                .isEqualTo(Map.of(
                        "i386-vsock", "EPERM",
                        "i386-socketcall-vsock", "EPERM",
                        "i386-mount", "EPERM",
                        "i386-unshare", "EPERM",
                        "x32-keyctl", "ENOSYS"));
    }

    @Test
    void doNotTypeIntoTerminals() throws Exception {
        assertThat(attempts.of("tiocsti", "tiocsti-wide"))
                .isEqualTo(Map.of("tiocsti", "EPERM", "tiocsti-wide", "EPERM"));
    }

    /// Else the tests above would pass whatever the filter does.
    @Test
    void areThereWithoutTheFilter() throws Exception {
        try (var unfiltered = TestHost.openUnfiltered()) {
            assertThat(new Attempts(unfiltered)
                            .of(
                                    "io_uring",
                                    "userfaultfd",
                                    "keyctl",
                                    "add_key",
                                    "i386-keyctl",
                                    "vsock",
                                    "i386-socketcall-vsock",
                                    "personality",
                                    "tiocsti",
                                    "tiocsti-wide"))
                    .allSatisfy((name, answer) -> assertThat(answer).as(name).isEqualTo("done"));
        }
    }
}
