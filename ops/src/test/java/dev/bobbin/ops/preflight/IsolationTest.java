package dev.bobbin.ops.preflight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.ops.preflight.Finding.Verdict;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What the program really printed in a sandbox (`sandbox`) and in bare namespaces (`bare`), and what is made of it.
final class IsolationTest {
    private static final Map<String, String> MACHINE = Map.of(
            "pid", "pid:[4026531836]",
            "mnt", "mnt:[4026531832]",
            "ipc", "ipc:[4026531839]",
            "uts", "uts:[4026531838]",
            "net", "net:[4026531840]",
            "cgroup", "cgroup:[4026531835]",
            "user", "user:[4026531837]");

    @Test
    void findsNothingWrongWithASandbox() throws IOException {
        assertThat(judge(lines("sandbox"), null))
                .hasSizeGreaterThan(20)
                .allSatisfy(finding ->
                        assertThat(finding.verdict()).as(finding.toString()).isEqualTo(Verdict.PASS));
    }

    @Test
    void findsNothingRightWithBareNamespaces() throws IOException {
        var right = judge(lines("bare"), null).stream()
                .filter(finding -> finding.verdict() != Verdict.FAIL)
                .map(Finding::check);
        // unshare gave it a working directory, made mounts private, and the machine lets nobody lower an oom score
        assertThat(right).containsExactlyInAnyOrder("working-directory", "propagation", "init", "oom-score", "network");
    }

    @Test
    void saysWhatToDoAboutEachFailure() throws IOException {
        assertThat(judge(lines("bare"), null))
                .filteredOn(finding -> finding.verdict() == Verdict.FAIL)
                .allSatisfy(finding -> assertThat(finding.fix()).isNotEmpty());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    namespaces        | link /proc/self/ns/net .*              | link /proc/self/ns/net net:[4026531840]
                    namespaces        | link /proc/self/ns/user .*             | link /x y
                    user-namespace    | text /proc/self/uid_map .*             | text /proc/self/uid_map 0 0 4294967295
                    user-namespace    | text /proc/self/gid_map .*             | text /proc/self/gid_map 0 1000 1
                    no-new-privileges | (.*NoNewPrivs:).*                      | $1 0
                    capabilities      | (.*CapBnd:).*                          | $1 00000000a80425fb
                    capabilities      | (.*CapAmb:).*                          | $1 0000000000000001
                    capabilities      | (.*CapInh:).*                          | $1 0000000000000400
                    seccomp           | (.*Seccomp:).*                         | $1 0
                    system-calls      | try bpf .*                             | try bpf done
                    system-calls      | try swapon .*                          | try swapon ENOENT
                    foreign-calls     | try i386-io_uring .*                   | try i386-io_uring EFAULT
                    keyrings          | try request_key .*                     | try request_key ENOKEY
                    sockets           | try vsock .*                           | try vsock done
                    mounts            | try mount-cgroup .*                    | try mount-cgroup done
                    new-namespaces    | try clone3-user .*                     | try clone3-user done
                    terminals         | try tiocsti-wide .*                    | try tiocsti-wide done
                    masked-paths      | path /proc/timer_list .*               | path /proc/timer_list file data EROFS
                    masked-paths      | path /sys/firmware .*                  | path /sys/firmware directory data EROFS
                    masked-paths      | path /sys/firmware .*                  | path /sys/devices/system/cpu/cpu3/thermal_throttle directory data EROFS
                    read-only-paths   | path /proc/sys/kernel/core_pattern .*  | path /proc/sys/kernel/core_pattern file data open
                    devices           | device null .*                         | device kvm character:10:232
                    devices           | try mknod-disk .*                      | try mknod-disk done
                    devices           | (text.*) - tmpfs (.*)                  | $1 - devtmpfs $2
                    devices           | path /dev/kmsg .*                      | path /dev/kmsg character:1:11 EPERM EPERM
                    descriptors       | link /proc/self/fd/2 .*                | link /proc/self/fd/7 /host
                    descriptors       | link /proc/self/fd/0 .*                | link /proc/self/fd/0 /etc
                    working-directory | link /proc/self/cwd .*                 | link /proc/self/cwd (unreachable)/x
                    propagation       | (text .*mountinfo .* /proc [a-z,]+) - (.*) | $1 shared:7 - $2
                    propagation       | (text .*mountinfo .* /proc [a-z,]+) - (.*) | $1 master:7 - $2
                    cgroups           | (text .*mountinfo .*) - tmpfs .*       | $1 - cgroup2 cgroup rw
                    cgroups           | text /proc/self/cgroup (.*):/          | text /proc/self/cgroup $1:/machine
                    init              | path /proc/1/root .*                   | path /proc/1/root directory data EROFS
                    init              | path /proc/1/oom_score_adj .*          | path /proc/1/oom_score_adj file data open
                    init              | try trace-init .*                      | try trace-init done
                    resource-limits   | (text /proc/self/limits Max core file size +).* | $1 unlimited unlimited bytes
                    resource-limits   | (text /proc/self/limits Max open files +).*     | $1 1048576 1048576 files
                    oom-score         | try oom-score .*                       | try oom-score done
                    host-name         | text /proc/sys/kernel/hostname .*      | text /proc/sys/kernel/hostname machine
                    network           | try route-metadata .*                  | try route-metadata done
                    network           | text /proc/self/net/dev +lo:.*         | text /proc/self/net/dev eth0: 1
                    """)
    void findsEach(String check, String line, String instead) throws IOException {
        var lines = lines("sandbox").stream()
                .map(each -> each.matches(line) ? each.replaceFirst(line, instead) : each)
                .toList();
        assertThat(lines).as("something is changed").isNotEqualTo(lines("sandbox"));

        assertThat(judge(lines, null))
                .filteredOn(finding -> finding.verdict() == Verdict.FAIL)
                .extracting(Finding::check)
                .contains(check);
    }

    @Test
    void findsWhatTwoSandboxesShare() throws IOException {
        assertThat(judge(lines("sandbox"), lines("sandbox")))
                .filteredOn(finding -> finding.verdict() == Verdict.FAIL)
                .extracting(Finding::check)
                .containsExactly("namespaces", "user-namespace");
    }

    @Test
    void takesNoFactsThatAreCutOff() throws IOException {
        var lines = new ArrayList<>(lines("sandbox"));
        lines.remove("done");

        assertThatThrownBy(() -> Facts.of(lines)).isInstanceOf(IllegalArgumentException.class);
    }

    private static List<Finding> judge(List<String> lines, @org.jspecify.annotations.Nullable List<String> neighbour) {
        return new Isolation(Facts.of(lines), neighbour == null ? null : Facts.of(neighbour), MACHINE, "machine")
                .judge();
    }

    private static List<String> lines(String name) throws IOException {
        try (var in = Objects.requireNonNull(IsolationTest.class.getResourceAsStream(name), name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().collect(Collectors.toList());
        }
    }
}
