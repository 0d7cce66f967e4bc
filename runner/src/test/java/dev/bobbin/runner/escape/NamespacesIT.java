package dev.bobbin.runner.escape;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.host.TestHost;
import org.junit.jupiter.api.Test;

/// Mounts and namespaces, new ones and others', and what is made in the file system to get there.
class NamespacesIT extends Attacked {
    @Test
    void takeNoMount() throws Exception {
        var names = new String[] {
            "mount-tmpfs",
            "mount-proc",
            "mount-cgroup",
            "mount-cgroup2",
            "bind",
            "remount",
            "umount",
            "fsopen",
            "open_tree",
            "pivot_root"
        };
        assertThat(attempts.of(names))
                .hasSize(names.length)
                .allSatisfy((_, answer) -> assertThat(answer).isEqualTo("EPERM"));
    }

    @Test
    void areNotMade() throws Exception {
        assertThat(attempts.of(
                        "unshare-user",
                        "unshare-mount",
                        "unshare-net",
                        "unshare-cgroup",
                        "clone-user",
                        "mount-as-new-root"))
                .hasSize(6)
                .allSatisfy((name, answer) -> assertThat(answer).as(name).isEqualTo("EPERM"));
        assertThat(attempts.of("clone3-user")).containsEntry("clone3-user", "ENOSYS");
    }

    @Test
    void areNotMadeWithoutTheFilterEither() throws Exception {
        try (var unfiltered = TestHost.openUnfiltered()) {
            assertThat(new Attempts(unfiltered)
                            .of(
                                    "unshare-user",
                                    "clone-user",
                                    "clone3-user",
                                    "mount-as-new-root",
                                    "mount-tmpfs",
                                    "mount-cgroup",
                                    "bind",
                                    "umount",
                                    "unshare-mount",
                                    "setns",
                                    "mknod-mem"))
                    .hasSize(11)
                    .allSatisfy((name, answer) -> assertThat(answer).as(name).isIn("EPERM", "ENOSPC", "ENOSYS"));
        }
    }

    @Test
    void areNotEntered() throws Exception {
        assertThat(attempts.of("setns", "setns-pidfd"))
                .hasSize(2)
                .allSatisfy((_, answer) -> assertThat(answer).isEqualTo("EPERM"));
    }

    @Test
    void takeNoDevice() throws Exception {
        assertThat(attempts.of("mknod-mem", "mknod-disk"))
                .hasSize(2)
                .allSatisfy((_, answer) -> assertThat(answer).isEqualTo("EPERM"));
    }

    @Test
    void showNoCgroupFileSystem() throws Exception {
        assertThat(host.sh("grep cgroup /proc/self/mountinfo; ls -A /sys/fs/cgroup")
                        .stdout())
                .isEmpty();
    }
}
