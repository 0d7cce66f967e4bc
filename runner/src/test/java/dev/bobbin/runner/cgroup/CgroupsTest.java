package dev.bobbin.runner.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Sample;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The logic of both versions against a tree of plain directories.
class CgroupsTest {
    private static final List<String> NO_SWAP = List.of("Filename Type Size Used Priority");
    private static final List<String> SWAP = List.of("Filename Type Size Used Priority", "/dev/vdb partition 9 0 -2");
    private static final Limits LIMITS = new Limits(64 << 20, 0.5, 100, Duration.ofSeconds(1), 1000, 1 << 20);

    @TempDir
    Path root;

    @Test
    void writesV1Limits() throws Exception {
        var cgroups = v1();
        Files.writeString(root.resolve("memory/b/supervisor/memory.memsw.limit_in_bytes"), "");
        Files.writeString(root.resolve("cpu/b/supervisor/cpu.cfs_quota_us"), "");
        assertThat(cgroups.writes(LIMITS))
                .containsExactly(
                        "memory\nmemory.limit_in_bytes\n67108864",
                        "memory\nmemory.memsw.limit_in_bytes\n67108864",
                        "pids\npids.max\n100",
                        "cpu\ncpu.cfs_quota_us\n50000");
        assertThat(cgroups.unenforced(SWAP)).isEmpty();
    }

    private static final Limits RARE = LIMITS.on("0-1,3", 300, new Limits.Io(1000, 0, 0, 50), 0);

    @Test
    void makesNothingInSpareHierarchiesOfV1AndWritesWhatAJobAsksForThere() throws Exception {
        give("cpuset/cpuset.cpus", "0-7\n");
        give("cpuset/cpuset.mems", "0\n");
        give("cpuset/b/cpuset.cpus", "\n");
        give("cpuset/b/cpuset.mems", "\n");
        give("cpu/b/supervisor/cpu.shares", "");
        var layout = new CgroupLayout(
                Map.of("cpu", directory("cpu")),
                List.of(),
                Map.of("cpuset", directory("cpuset"), "blkio", directory("blkio")),
                List.of());
        var cgroups = Cgroups.open(layout, "b", root.resolve("noted"), List.of("254:0", "8:16"));
        assertThat(cgroups.missing(RARE)).isEmpty();
        assertThat(cgroups.processors().cardinality()).isEqualTo(8);
        assertThat(cgroups.writes(RARE))
                .containsExactlyInAnyOrder(
                        "cpu\ncpu.shares\n3072",
                        "cpuset\ncpuset.mems\n0",
                        "cpuset\ncpuset.cpus\n0-1,3",
                        "blkio\nblkio.throttle.read_bps_device\n254:0 1000",
                        "blkio\nblkio.throttle.write_iops_device\n254:0 50",
                        "blkio\nblkio.throttle.read_bps_device\n8:16 1000",
                        "blkio\nblkio.throttle.write_iops_device\n8:16 50");
        assertThat(cgroups.writes(LIMITS)).noneMatch(write -> write.startsWith("cpuset") || write.startsWith("blkio"));
        assertThat(cgroups.arguments())
                .contains("--spare-cgroup", "cpuset=" + root.resolve("cpuset/b"), "blkio=" + root.resolve("blkio/b"))
                .doesNotContain("cpuset=" + root.resolve("cpuset/b/supervisor"));
        assertThat(root.resolve("cpuset/b/cpuset.cpus")).hasContent("0-7");
    }

    @Test
    void handsSpareControllersOfV2OnWhenTheFirstJobAsks() throws Exception {
        give("own/cgroup.subtree_control", "memory cpu pids");
        give("own/cpuset.cpus.effective", "0-3\n");
        give("own/b/supervisor/cpu.weight", "");
        var own = directory("own");
        var layout = new CgroupLayout(
                Map.of("memory", own, "cpu", own, "pids", own),
                List.of("memory", "cpu", "pids"),
                Map.of(),
                List.of("cpuset", "io"));
        var cgroups = Cgroups.open(layout, "b", root.resolve("noted"), List.of("254:0"));
        assertThat(cgroups.missing(LIMITS)).isEmpty();
        assertThat(root.resolve("own/cgroup.subtree_control")).hasContent("memory cpu pids");
        assertThat(cgroups.missing(RARE)).isEmpty();
        // a plain file keeps only what was written last
        assertThat(root.resolve("own/cgroup.subtree_control")).hasContent("+io");
        assertThat(root.resolve("own/b/cgroup.subtree_control")).hasContent("+io");
        assertThat(cgroups.writes(RARE))
                .contains("v2\ncpu.weight\n300", "v2\ncpuset.cpus\n0-1,3", "v2\nio.max\n254:0 rbps=1000 wiops=50");
        assertThat(cgroups.processors().cardinality()).isEqualTo(4);
    }

    @Test
    void namesRareLimitsThatCannotBeKept() throws Exception {
        assertThat(v1().missing(RARE)).containsExactly("cpuset", "io", "cpu_weight");
        assertThat(v1().missing(LIMITS)).isEmpty();
        assertThat(v1().writes(RARE)).containsAll(v1().writes(LIMITS)).hasSameSizeAs(v1().writes(LIMITS));
    }

    @Test
    void leavesTheProcessorAloneWithoutALimit() throws Exception {
        var unlimited = new Limits(64 << 20, 0, 100, Duration.ofSeconds(1), 1000, 1 << 20);
        assertThat(v1().writes(unlimited)).noneMatch(write -> write.startsWith("cpu\n"));
    }

    @Test
    void writesV2LimitsAndHandsControllersOn() throws Exception {
        var cgroups = v2();
        Files.writeString(root.resolve("b/supervisor/memory.swap.max"), "");
        Files.writeString(root.resolve("b/supervisor/cpu.max"), "");
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
    void putsTheSupervisingProcessesBeforeJobs() throws Exception {
        var supervisor = Files.createDirectories(root.resolve("cpu/b/supervisor"));
        Files.writeString(supervisor.resolve("cpu.shares"), "1024");
        v1();
        assertThat(supervisor.resolve("cpu.shares")).hasContent("16384");
    }

    @Test
    void samplesV1() throws Exception {
        var cgroups = v1();
        give("memory/b/x/memory.usage_in_bytes", "5000\n");
        give("memory/b/x/memory.max_usage_in_bytes", "9000\n");
        give("memory/b/x/memory.stat", "cache 1\nrss 2\ntotal_cache 3000\ntotal_rss 1500\n");
        give("memory/b/x/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
        give("cpu/b/x/cpu.stat", "nr_periods 10\nnr_throttled 4\nthrottled_time 7000000\n");
        give("pids/b/x/pids.current", "3\n");
        give("pids/b/x/cgroup.procs", "11\n12\n");
        var sample = cgroups.sample("x");
        assertThat(sample.memory()).isEqualTo(new Sample.Memory(5000, 9000, 1500, 3000, 2));
        assertThat(sample.cpu()).isEqualTo(new Sample.Cpu(-1, -1, -1, 10, 4, 7000));
        assertThat(sample.pids()).isEqualTo(3);
        assertThat(sample.processes()).containsExactly(11L, 12L);
    }

    @Test
    void samplesV2() throws Exception {
        var cgroups = v2();
        give("b/x/memory.current", "5000\n");
        give("b/x/memory.peak", "9000\n");
        give("b/x/memory.stat", "anon 1500\nfile 3000\nfile_mapped 7\n");
        give("b/x/memory.events", "low 0\noom 1\noom_kill 2\n");
        give(
                "b/x/cpu.stat",
                "usage_usec 30\nuser_usec 10\nsystem_usec 20\nnr_periods 10\nnr_throttled 4\nthrottled_usec 7000\n");
        give("b/x/pids.current", "3\n");
        give("b/x/cgroup.procs", "11\n");
        var sample = cgroups.sample("x");
        assertThat(sample.memory()).isEqualTo(new Sample.Memory(5000, 9000, 1500, 3000, 2));
        assertThat(sample.cpu()).isEqualTo(new Sample.Cpu(30, 10, 20, 10, 4, 7000));
        assertThat(sample.pids()).isEqualTo(3);
        assertThat(sample.processes()).containsExactly(11L);
    }

    @Test
    void samplesMemoryOfV1AndTheRestOfV2() throws Exception {
        var layout = new CgroupLayout(
                Map.of("memory", directory("memory"), "cpu", directory("unified"), "pids", directory("unified")),
                List.of("cpu", "pids"));
        var cgroups = Cgroups.open(layout, "b", root.resolve("noted"));
        give("memory/b/x/memory.usage_in_bytes", "5000\n");
        give("unified/b/x/cpu.stat", "usage_usec 30\nuser_usec 10\nsystem_usec 20\n");
        give("unified/b/x/pids.current", "3\n");
        var sample = cgroups.sample("x");
        assertThat(sample.memory()).isEqualTo(new Sample.Memory(5000, -1, -1, -1, -1));
        assertThat(sample.cpu()).isEqualTo(new Sample.Cpu(30, 10, 20, -1, -1, -1));
        assertThat(sample.pids()).isEqualTo(3);
    }

    private Path directory(String name) throws Exception {
        return Files.createDirectories(root.resolve(name));
    }

    private void give(String file, String text) throws Exception {
        Files.createDirectories(root.resolve(file).getParent());
        Files.writeString(root.resolve(file), text);
    }

    @Test
    void namesLimitsThatCannotBeKept() throws Exception {
        var layout = new CgroupLayout(Map.of("memory", root), List.of());
        assertThat(Cgroups.open(layout, "b", root.resolve("noted")).unenforced(NO_SWAP))
                .containsExactly("cpus", "pids");
        assertThat(Cgroups.open(new CgroupLayout(Map.of(), List.of()), "b", root.resolve("other"))
                        .unenforced(SWAP))
                .containsExactly("cpus", "memory", "pids");
    }

    @Test
    void needsSwapToBeCountedOnlyWhereThereIsSome() throws Exception {
        var v1 = v1();
        Files.writeString(root.resolve("cpu/b/supervisor/cpu.cfs_quota_us"), "");
        assertThat(v1.unenforced(NO_SWAP)).isEmpty();
        assertThat(v1.unenforced(SWAP)).containsExactly("swap");
        assertThat(v1.writes(LIMITS)).noneMatch(write -> write.contains("memsw"));
        var v2 = v2();
        assertThat(v2.unenforced(NO_SWAP)).containsExactly("cpus");
        Files.writeString(root.resolve("b/supervisor/cpu.max"), "");
        assertThat(v2.unenforced(NO_SWAP)).isEmpty();
        assertThat(v2.unenforced(SWAP)).containsExactly("swap");
        Files.writeString(root.resolve("b/supervisor/memory.swap.max"), "");
        assertThat(v2.unenforced(SWAP)).isEmpty();
    }

    @Test
    void splitsAHybridMachineBetweenBothVersions() throws Exception {
        Files.createDirectories(root.resolve("memory"));
        Files.createDirectories(root.resolve("unified"));
        Files.writeString(root.resolve("unified/cgroup.subtree_control"), "");
        var own = new java.util.LinkedHashMap<String, Path>();
        own.put("memory", root.resolve("memory"));
        own.put("cpu", root.resolve("unified"));
        own.put("pids", root.resolve("unified"));
        var cgroups = Cgroups.open(new CgroupLayout(own, List.of("cpu", "pids")), "b", root.resolve("noted"));
        Files.writeString(root.resolve("unified/b/supervisor/cpu.max"), "");
        assertThat(cgroups.unenforced(NO_SWAP)).isEmpty();
        assertThat(cgroups.writes(LIMITS))
                .containsExactly(
                        "memory\nmemory.limit_in_bytes\n67108864", "v2\npids.max\n100", "v2\ncpu.max\n50000 100000");
        assertThat(cgroups.reads(LIMITS))
                .containsExactly(
                        "memory\nmemory.oom_control",
                        "memory\nmemory.max_usage_in_bytes",
                        "memory\nmemory.limit_in_bytes",
                        "v2\ncpu.stat");
    }

    @Test
    void readsThrottlingOnlyOfJobsThatCanBeThrottled() throws Exception {
        assertThat(v1().reads(LIMITS)).contains("cpu\ncpu.stat");
        assertThat(v1().reads(Limits.DEFAULT)).doesNotContain("cpu\ncpu.stat");
    }

    @Test
    void readsTheCountersOfASandboxThatCannotBeAsked() throws Exception {
        var cgroups = v1();
        Files.createDirectories(root.resolve("memory/b/x"));
        Files.writeString(root.resolve("memory/b/x/memory.oom_control"), "oom_kill_disable 0\noom_kill 3\n");
        assertThat(cgroups.evidence("x").usage().oomKills()).isEqualTo(3);
        assertThat(cgroups.evidence("absent").usage()).isEqualTo(dev.bobbin.runner.Ending.Usage.UNKNOWN);
    }

    @Test
    void saysWhoseMemoryWasOut() {
        var killed = "memory\nmemory.oom_control\noom_kill 1\n";
        var limit = "memory\nmemory.limit_in_bytes\n33554432\n";
        var atLimit = "memory\nmemory.max_usage_in_bytes\n33550336\n";
        var below = "memory\nmemory.max_usage_in_bytes\n20000000\n";
        assertThat(Cgroups.evidence(List.of(killed, limit, atLimit)).level()).isEqualTo("job");
        assertThat(Cgroups.evidence(List.of(killed, limit, below)).level()).isEqualTo("host");
        assertThat(Cgroups.evidence(List.of("v2\nmemory.events\nmax 7\noom 1\noom_kill 1\n"))
                        .level())
                .isEqualTo("job");
        assertThat(Cgroups.evidence(List.of("v2\nmemory.events\nmax 7\noom 0\noom_kill 1\n"))
                        .level())
                .isEqualTo("host");
        // a journal of before these were read
        assertThat(Cgroups.evidence(List.of(killed)).level()).isEqualTo("job");
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
        assertThat(v1.usage().oomKills()).isEqualTo(2);
        assertThat(v1.usage().memoryPeakBytes()).isEqualTo(4096);
        assertThat(v1.usage().cpuUserMicros()).isEqualTo(5000);
        assertThat(v1.usage().cpuSystemMicros()).isEqualTo(7);
        var v2 = Cgroups.evidence(List.of(
                "v2\nmemory.events\nlow 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n",
                "v2\nmemory.peak\n8192\n",
                "v2\ncpu.stat\nusage_usec 30\nuser_usec 10\nsystem_usec 20\nnr_throttled 2\nthrottled_usec 90\n"));
        assertThat(v2.usage().oomKills()).isEqualTo(1);
        assertThat(v2.usage())
                .isEqualTo(new dev.bobbin.runner.Ending.Usage(10, 20, 2, 90, 8192, 1, -1, -1, -1, -1, "job"));
        assertThat(Cgroups.evidence(List.of("nonsense")).usage()).isEqualTo(dev.bobbin.runner.Ending.Usage.UNKNOWN);
    }

    private Cgroups v2() throws Exception {
        Files.writeString(root.resolve("cgroup.subtree_control"), "");
        var layout =
                new CgroupLayout(Map.of("memory", root, "cpu", root, "pids", root), List.of("memory", "cpu", "pids"));
        return Cgroups.open(layout, "b", root.resolve("noted2"));
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
