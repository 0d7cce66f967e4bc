package dev.bobbin.runner.escape;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.host.TestHost;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// `/proc` and `/sys`: what tells of the machine, and what changes it.
class KernelFilesIT extends Attacked {
    @Test
    void thatTellOfTheMachineAreEmpty() throws Exception {
        var files = Stream.of(
                        "interrupts",
                        "kcore",
                        "key-users",
                        "keys",
                        "kmsg",
                        "latency_stats",
                        "sched_debug",
                        "timer_list",
                        "timer_stats")
                .filter(name -> Files.exists(Path.of("/proc", name)))
                .toList();
        assertThat(files).contains("keys", "timer_list", "interrupts");
        for (var file : files) {
            var result = host.sh("stat -c '%F %t:%T' /proc/" + file + "; cat /proc/" + file);
            assertThat(result.stdout()).as(file).isEqualTo("character special file 1:3\n");
        }
        var directories = Stream.of("/proc/acpi", "/proc/asound", "/proc/scsi", "/sys/firmware")
                .filter(name -> Files.exists(Path.of(name)))
                .toList();
        for (var directory : directories) {
            var result = host.sh("ls -A " + directory + "; echo x > " + directory + "/x");
            assertThat(result.stdout()).as(directory).isEmpty();
            assertThat(result.stderr()).as(directory).contains("Read-only file system");
        }
    }

    @Test
    void thatOthersHideAreHiddenAndThatOthersLockAreLocked() throws Exception {
        List<String> known;
        try (var in = Objects.requireNonNull(getClass().getResourceAsStream("kernel-files"))) {
            known = new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .toList();
        }
        var hidden = paths(known, "hidden ");
        var shown = host.sh("for each in " + hidden + "; do if [ -d $each ]; then ls -A $each; else [ ! -e $each ] ||"
                + " cat $each; fi; done");
        assertThat(shown.stderr()).isEmpty();
        assertThat(shown.stdout()).isEmpty();
        var locked = paths(known, "read-only ").split(" ", -1);
        assertThat(locked).hasSize(5);
        var mounts = host.sh("cat /proc/self/mountinfo").stdout();
        for (var path : locked) {
            if (Files.exists(Path.of(path))) {
                assertThat(mounts).as(path).contains(" " + path + " ro,");
            }
        }
    }

    private static String paths(List<String> known, String kind) {
        return known.stream()
                .filter(line -> line.startsWith(kind))
                .map(line -> line.substring(kind.length()))
                .collect(Collectors.joining(" "));
    }

    /// What is hidden in truth, heat, many machines do not tell of; the same init with another name shows how.
    @Test
    void ofEachProcessorAreEmptyAndReadOnly() throws Exception {
        var directory = "/sys/devices/system/cpu/cpu*/topology";
        var processors = Runtime.getRuntime().availableProcessors();
        var count = "ls -d " + directory + " | wc -l; ls -A " + directory + "/* 2> /dev/null | wc -l";
        assertThat(host.sh(count).stdout().lines().toList()).first().isEqualTo("" + processors);
        assertThat(host.sh(count).stdout().lines().toList().getLast()).isNotEqualTo("0");
        try (var hiding = TestHost.openHidingTopology()) {
            assertThat(hiding.sh(count).stdout()).isEqualTo(processors + "\n0\n");
            var write = hiding.sh("for each in " + directory + "; do mkdir $each/x; done");
            assertThat(write.stderr().lines())
                    .hasSize(processors)
                    .allMatch(line -> line.endsWith("Read-only file system"));
        }
    }

    @Test
    void thatChangeTheMachineAreReadOnly() throws Exception {
        var files = Stream.of(
                        "sys/kernel/core_pattern",
                        "sys/kernel/modprobe",
                        "sys/kernel/hostname",
                        "sys/kernel/shmmax",
                        "sys/net/ipv4/ip_forward",
                        "sys/net/ipv4/ping_group_range",
                        "sys/user/max_user_namespaces",
                        "sys/vm/overcommit_memory",
                        "sysrq-trigger")
                .map(name -> "/proc/" + name)
                .filter(name -> Files.exists(Path.of(name)))
                .toArray(String[]::new);
        assertThat(attempts.onFiles(files))
                .hasSizeGreaterThan(6)
                .allSatisfy((path, answer) -> assertThat(answer).as(path).matches(".* (EROFS|EACCES)"));
        for (var name : List.of("sys", "bus", "fs", "irq", "sysrq-trigger")) {
            if (Files.exists(Path.of("/proc", name))) {
                assertThat(host.sh("grep ' /proc/" + name + " ' /proc/self/mountinfo")
                                .stdout())
                        .as(name)
                        .contains(" /proc/" + name + " ro,");
            }
        }
        assertThat(host.sh("cat /proc/sys/user/max_user_namespaces").stdout()).isEqualTo("0\n");
    }

    @Test
    void ofSysfsAreReadOnly() throws Exception {
        var result = host.sh(
                "touch /sys/x; echo mem > /sys/power/state; echo 1 > /sys/kernel/uevent_helper; mkdir /sys/fs/cgroup/x");
        assertThat(result.stderr().lines())
                .allMatch(line -> line.matches(
                        ".*(Read-only file system|nonexistent|No such file.*|Permission denied|not permitted)"));
        assertThat(host.sh("grep ' /sys ' /proc/self/mountinfo").stdout()).contains(" ro,");
    }

    @Test
    void stayAsTheyAreForExecsAndWhoRemoves() throws Exception {
        var sandbox = host.place().create();
        var result = host.sh(
                sandbox,
                "umount /proc/sys; rm -f /proc/keys; mv /proc/keys /k; cat /proc/keys; echo x > /proc/sys/kernel/core_pattern");
        assertThat(result.stdout()).isEmpty();
        assertThat(result.exitCode()).isNotZero();
    }

    @Test
    void areMaskedInNoNamespaceButTheSandboxs() throws Exception {
        var before = Files.readString(Path.of("/proc/self/mountinfo"));
        assertThat(host.sh("grep -c ' /proc/' /proc/self/mountinfo").stdout().trim())
                .isNotEqualTo("0");
        assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).isEqualTo(before);
        assertThat(Files.readString(Path.of("/proc/timer_list"))).isNotEmpty();
    }
}
