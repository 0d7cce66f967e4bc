package dev.bobbin.runner.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CgroupLayoutTest {
    @TempDir
    Path root;

    @Test
    void findsV1ControllersWhereTheyAreMounted() throws Exception {
        directories("sys/fs/cgroup/memory/a", "sys/fs/cgroup/cpu,cpuacct", "sys/fs/cgroup/pids");
        var layout = CgroupLayout.read(
                root,
                List.of(
                        "30 25 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
                        "31 25 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct",
                        "32 25 0:28 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids"),
                List.of("9:memory:/a", "8:cpu,cpuacct:/", "7:pids:/"));
        assertThat(layout.own())
                .containsEntry("memory", root.resolve("sys/fs/cgroup/memory/a"))
                .containsEntry("cpu", root.resolve("sys/fs/cgroup/cpu,cpuacct"))
                .containsEntry("cpuacct", root.resolve("sys/fs/cgroup/cpu,cpuacct"))
                .containsEntry("pids", root.resolve("sys/fs/cgroup/pids"));
        assertThat(layout.v2()).isEmpty();
    }

    @Test
    void findsV2Controllers() throws Exception {
        directories("sys/fs/cgroup/user.slice");
        offer("sys/fs/cgroup", "cpuset cpu io memory pids");
        offer("sys/fs/cgroup/user.slice", "cpuset cpu io memory pids");
        var layout = CgroupLayout.read(
                root,
                List.of("30 25 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate"),
                List.of("0::/user.slice"));
        assertThat(layout.v2()).containsExactlyInAnyOrder("memory", "cpu", "pids");
        assertThat(layout.own()).containsEntry("pids", root.resolve("sys/fs/cgroup/user.slice"));
    }

    @Test
    void prefersV1OnAHybridMachine() throws Exception {
        directories("sys/fs/cgroup/memory", "sys/fs/cgroup/unified");
        Files.writeString(root.resolve("sys/fs/cgroup/unified/cgroup.controllers"), "pids\n");
        var layout = CgroupLayout.read(
                root,
                List.of(
                        "30 25 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
                        "31 25 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw"),
                List.of("9:memory:/", "0::/"));
        assertThat(layout.own()).containsOnlyKeys("memory", "pids");
        assertThat(layout.v2()).containsExactly("pids");
    }

    @Test
    void readsAMountThatShowsOnlyASubtree() throws Exception {
        directories("sys/fs/cgroup/memory/inner");
        var layout = CgroupLayout.read(
                root,
                List.of("30 25 0:26 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory"),
                List.of("9:memory:/docker/abc/inner"));
        assertThat(layout.own()).containsEntry("memory", root.resolve("sys/fs/cgroup/memory/inner"));
    }

    @Test
    void findsNothingWhereNothingIs() throws Exception {
        assertThat(CgroupLayout.read(root, List.of("1 1 0:1 / / rw - ext4 /dev/vda rw"), List.of())
                        .own())
                .isEmpty();
    }

    @Test
    void climbsPastASessionWithOthersInItAndOneThatLacksAController() throws Exception {
        directories("sys/fs/cgroup/user.slice/user-0.slice/session-1.scope");
        offer("sys/fs/cgroup", "cpu memory pids");
        offer("sys/fs/cgroup/user.slice", "cpu memory pids");
        offer("sys/fs/cgroup/user.slice/user-0.slice", "memory pids");
        offer("sys/fs/cgroup/user.slice/user-0.slice/session-1.scope", "cpu memory pids");
        var session = root.resolve("sys/fs/cgroup/user.slice/user-0.slice/session-1.scope");
        Files.writeString(session.resolve("cgroup.type"), "domain\n");
        Files.writeString(session.resolve("cgroup.procs"), "1\n2\n");
        assertThat(unified("/user.slice/user-0.slice/session-1.scope").own())
                .containsEntry("memory", root.resolve("sys/fs/cgroup/user.slice"));
        Files.writeString(
                session.resolve("cgroup.procs"), ProcessHandle.current().pid() + "\n");
        assertThat(unified("/user.slice/user-0.slice/session-1.scope").own()).containsEntry("cpu", session);
    }

    @Test
    void neverHandsOnFromAThreadedCgroup() throws Exception {
        directories("sys/fs/cgroup/a");
        offer("sys/fs/cgroup", "cpu memory pids");
        offer("sys/fs/cgroup/a", "cpu memory pids");
        Files.writeString(root.resolve("sys/fs/cgroup/a/cgroup.type"), "domain threaded\n");
        assertThat(unified("/a").own()).containsEntry("cpu", root.resolve("sys/fs/cgroup"));
    }

    private CgroupLayout unified(String membership) throws Exception {
        return CgroupLayout.read(
                root,
                List.of("30 25 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate"),
                List.of("0::" + membership));
    }

    private void offer(String cgroup, String controllers) throws Exception {
        Files.writeString(root.resolve(cgroup).resolve("cgroup.controllers"), controllers + "\n");
    }

    private void directories(String... names) throws Exception {
        for (var name : names) {
            Files.createDirectories(root.resolve(name));
        }
    }
}
