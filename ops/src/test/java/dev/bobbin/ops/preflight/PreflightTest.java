package dev.bobbin.ops.preflight;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PreflightTest {
    private static final String ROOT = "Name:\tjava\nUid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\n";
    private static final String HYBRID = """
            30 25 0:27 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu
            31 25 0:28 / /sys/fs/cgroup/memory rw,relatime shared:10 - cgroup cgroup rw,memory
            32 25 0:29 / /sys/fs/cgroup/pids rw,relatime shared:11 - cgroup cgroup rw,pids
            33 25 0:30 / /sys/fs/cgroup/unified rw,relatime shared:12 - cgroup2 cgroup2 rw
            """;
    private static final String UNIFIED = "30 25 0:27 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw\n";

    @TempDir
    private Path machine = Path.of("");

    @BeforeEach
    void goodMachine() throws IOException {
        write("proc/self/status", ROOT);
        write("proc/self/ns/user", "");
        write("proc/self/mountinfo", HYBRID);
        write("proc/sys/kernel/osrelease", "6.18.4-generic\n");
        write("proc/sys/user/max_user_namespaces", "63000\n");
        write("proc/filesystems", "nodev\ttmpfs\nnodev\toverlay\n\text4\n");
    }

    @Test
    void acceptsGoodMachine() {
        assertThat(new Preflight(machine).missing()).isEmpty();
        assertThat(new Preflight(machine).missingLimits()).isEmpty();
    }

    @Test
    void acceptsUnifiedControllers() throws IOException {
        write("proc/self/mountinfo", UNIFIED);
        write("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n");

        assertThat(new Preflight(machine).missing()).isEmpty();
        assertThat(new Preflight(machine).missingLimits()).isEmpty();
    }

    @Test
    void acceptsOverlayThatIsAModule() throws IOException {
        write("proc/filesystems", "nodev\ttmpfs\n");
        write("lib/modules/6.18.4-generic/kernel/fs/overlayfs/overlay.ko", "");

        assertThat(new Preflight(machine).missing()).isEmpty();
        assertThat(new Preflight(machine).missingLimits()).isEmpty();
    }

    @Test
    void asksForRoot() throws IOException {
        write("proc/self/status", ROOT.replace("\t0\t0\t0\t0", "\t1000\t1000\t1000\t1000"));

        assertThat(new Preflight(machine).missing()).singleElement().asString().contains("needs root", "sudo");
    }

    @Test
    void asksForRightsWithinContainer() throws IOException {
        write("proc/self/status", ROOT.replace("000001ffffffffff", "00000000a80425fb"));

        assertThat(new Preflight(machine).missing())
                .singleElement()
                .asString()
                .contains("CAP_SYS_ADMIN", "--privileged");
    }

    @Test
    void asksForNewerKernel() throws IOException {
        write("proc/sys/kernel/osrelease", "5.15.0-91-amd64\n");

        assertThat(new Preflight(machine).missing()).singleElement().asString().contains("6.1 or newer", "5.15.0-91");
    }

    @Test
    void asksForOverlay() throws IOException {
        write("proc/filesystems", "nodev\ttmpfs\n");

        assertThat(new Preflight(machine).missing()).singleElement().asString().contains("modprobe overlay");
    }

    @Test
    void asksForUserNamespaces() throws IOException {
        write("proc/sys/user/max_user_namespaces", "0\n");

        assertThat(new Preflight(machine).missing())
                .singleElement()
                .asString()
                .contains("sysctl user.max_user_namespaces");
    }

    @Test
    void namesMissingController() throws IOException {
        write("proc/self/mountinfo", UNIFIED);
        write("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io pids\n");

        assertThat(new Preflight(machine).missingLimits())
                .singleElement()
                .asString()
                .contains("\"memory\" is missing");
    }

    @Test
    void namesReadOnlyController() throws IOException {
        write("proc/self/mountinfo", HYBRID.replace("/pids rw", "/pids ro"));

        assertThat(new Preflight(machine).missingLimits())
                .singleElement()
                .asString()
                .contains("\"pids\"", "read-only");
    }

    @Test
    void makesPrivateDirectories() throws IOException {
        var directory = machine.resolve("a/b");

        assertThat(new Preflight(machine).makeDirectory(directory, "--data-dir"))
                .isEmpty();
        assertThat(Files.getPosixFilePermissions(directory)).hasSize(3);
    }

    @Test
    void namesTheFlagOfADirectoryThatCannotBe() {
        var directory = machine.resolve("proc/filesystems/data");

        assertThat(new Preflight(machine).makeDirectory(directory, "--data-dir"))
                .singleElement()
                .asString()
                .contains(directory.toString(), "--data-dir");
    }

    private void write(String path, String text) throws IOException {
        var file = machine.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }
}
