package dev.bobbin.runner.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Limits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The logic of both versions against a tree of plain directories.
class CgroupsTest {
    private static final Limits LIMITS = new Limits(64 << 20, 0.5, 100, Duration.ofSeconds(1), 1000, 1 << 20);

    @TempDir
    Path root;

    @Test
    void writesV1Limits() throws Exception {
        var cgroups = v1();
        Files.writeString(root.resolve("memory/b/supervisor/memory.memsw.limit_in_bytes"), "");
        assertThat(cgroups.writes(LIMITS))
                .containsExactly(
                        "memory\nmemory.limit_in_bytes\n67108864",
                        "memory\nmemory.memsw.limit_in_bytes\n67108864",
                        "pids\npids.max\n100",
                        "cpu\ncpu.cfs_quota_us\n50000");
        assertThat(cgroups.missing()).isEmpty();
    }

    @Test
    void leavesTheProcessorAloneWithoutALimit() throws Exception {
        var unlimited = new Limits(64 << 20, 0, 100, Duration.ofSeconds(1), 1000, 1 << 20);
        assertThat(v1().writes(unlimited)).noneMatch(write -> write.startsWith("cpu\n"));
    }

    @Test
    void writesV2LimitsAndHandsControllersOn() throws Exception {
        Files.writeString(root.resolve("cgroup.subtree_control"), "");
        var layout =
                new CgroupLayout(Map.of("memory", root, "cpu", root, "pids", root), List.of("memory", "cpu", "pids"));
        var cgroups = Cgroups.open(layout, "b", root.resolve("noted"));
        Files.writeString(root.resolve("b/supervisor/memory.swap.max"), "");
        assertThat(cgroups.writes(LIMITS))
                .containsExactly(
                        "v2\nmemory.max\n67108864",
                        "v2\nmemory.swap.max\n0",
                        "v2\nmemory.oom.group\n0",
                        "v2\npids.max\n100",
                        "v2\ncpu.max\n50000 100000");
        assertThat(root.resolve("b/cgroup.subtree_control")).hasContent("+memory +cpu +pids");
        assertThat(cgroups.arguments())
                .containsExactly(
                        "--cgroup",
                        "v2=" + root.resolve("b"),
                        "--supervisor-cgroup",
                        "v2=" + root.resolve("b/supervisor"));
    }

    @Test
    void namesControllersThatAreNowhere() throws Exception {
        var layout = new CgroupLayout(Map.of("memory", root), List.of());
        assertThat(Cgroups.open(layout, "b", root.resolve("noted")).missing()).containsExactly("cpu", "pids");
    }

    @Test
    void findsTheParentsOfAnEarlierServerInAnotherCgroup() throws Exception {
        v1();
        var elsewhere = Files.createDirectories(root.resolve("elsewhere"));
        var layout = new CgroupLayout(Map.of("memory", elsewhere), List.of());
        var cgroups = Cgroups.open(layout, "b", root.resolve("noted"));
        assertThat(cgroups.arguments()).contains("memory=" + root.resolve("memory/b"));
    }

    @Test
    void removesTheCgroupsOfASandboxAndThenItsOwn() throws Exception {
        var cgroups = v1();
        for (var controller : List.of("memory", "cpu", "pids")) {
            Files.createDirectory(root.resolve(controller + "/b/x"));
        }
        assertThat(cgroups.present()).containsExactly("x");
        cgroups.remove("x");
        assertThat(cgroups.present()).isEmpty();
        cgroups.close();
        assertThat(root.resolve("memory/b")).doesNotExist();
    }

    @Test
    void readsTheEvidenceOfBothVersions() {
        var v1 = Cgroups.evidence(List.of(
                "memory\nmemory.oom_control\noom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
                "memory\nmemory.max_usage_in_bytes\n4096\n",
                "cpuacct\ncpuacct.usage_user\n5000000\n",
                "cpuacct\ncpuacct.usage_sys\n7000\n"));
        assertThat(v1.oomKills()).isEqualTo(2);
        assertThat(v1.usage().memoryPeakBytes()).isEqualTo(4096);
        assertThat(v1.usage().cpuUserMicros()).isEqualTo(5000);
        assertThat(v1.usage().cpuSystemMicros()).isEqualTo(7);
        var v2 = Cgroups.evidence(List.of(
                "v2\nmemory.events\nlow 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n",
                "v2\nmemory.peak\n8192\n",
                "v2\ncpu.stat\nusage_usec 30\nuser_usec 10\nsystem_usec 20\n"));
        assertThat(v2.oomKills()).isEqualTo(1);
        assertThat(v2.usage()).isEqualTo(new dev.bobbin.runner.Ending.Usage(10, 20, 8192));
        assertThat(Cgroups.evidence(List.of("nonsense")).usage()).isEqualTo(dev.bobbin.runner.Ending.Usage.UNKNOWN);
    }

    private Cgroups v1() throws Exception {
        for (var controller : List.of("memory", "cpu", "pids")) {
            Files.createDirectories(root.resolve(controller));
        }
        var layout = new CgroupLayout(
                Map.of(
                        "memory", root.resolve("memory"),
                        "cpu", root.resolve("cpu"),
                        "pids", root.resolve("pids")),
                List.of());
        return Cgroups.open(layout, "b", root.resolve("noted"));
    }
}
