package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.cgroup.Cgroups;
import dev.bobbin.runner.net.Networks;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// What one Bobbin may leave on a machine, counted before it starts and after it ended. Looks only at what carries the
/// name of its run directory, since other Bobbins may run beside it; the mount table is everybody's and must not
/// change by anything that mentions it, or that the init calls a mount.
public final class Leftovers {
    private final Path runDir;
    private final Set<String> mounts;

    private Leftovers(Path runDir) throws IOException {
        this.runDir = runDir;
        this.mounts = mounts();
    }

    public static Leftovers of(Path runDir) throws IOException {
        return new Leftovers(runDir);
    }

    /// Fails unless everything is as it was. A cgroup can be removed only when no process is in it, so that its absence
    /// also proves the absence of processes.
    public void assertNothingMore() throws IOException {
        assertThat(mounts()).as("mounts of the host").isEqualTo(mounts);
        assertThat(cgroups()).as("cgroups").isEmpty();
        assertThat(networks()).as("links and rules").isEmpty();
        var sockets = runDir.resolve("s");
        if (Files.exists(sockets)) {
            try (var left = Files.list(sockets)) {
                assertThat(left).as("live state of sandboxes").isEmpty();
            }
        }
    }

    /// The kernel takes links down some time after the sandbox that had one.
    private List<String> networks() {
        var left = Networks.present(runDir);
        for (var tries = 0; tries < 500 && !left.isEmpty(); tries++) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
            left = Networks.present(runDir);
        }
        return left;
    }

    /// Kills every process of this Bobbin that is not a server, as a power cut would, and removes its cgroups.
    void killEverything() throws IOException, InterruptedException {
        for (var pid : supervising()) {
            ProcessHandle.of(Long.parseLong(pid)).ifPresent(ProcessHandle::destroyForcibly);
        }
        for (var i = 0; i < 500 && !Cgroups.removeNoted(runDir.resolve("cgroups")); i++) {
            TimeUnit.MILLISECONDS.sleep(10);
        }
        assertThat(cgroups()).isEmpty();
    }

    /// The nursery and every PID 1. Hierarchies of limits that few jobs have hold jobs only.
    private Set<String> supervising() throws IOException {
        var found = new TreeSet<String>();
        for (var parent : cgroups()) {
            var processes = parent.resolve("supervisor").resolve("cgroup.procs");
            if (Files.exists(processes)) {
                found.addAll(Files.readAllLines(processes));
            }
        }
        return found;
    }

    /// Kills the process that makes sandboxes, and only that.
    void killNursery() throws IOException {
        for (var pid : supervising()) {
            if (Files.readString(Path.of("/proc/" + pid + "/comm")).strip().equals("bobbin-nursery")) {
                ProcessHandle.of(Long.parseLong(pid)).ifPresent(ProcessHandle::destroyForcibly);
            }
        }
    }

    /// Processes of one sandbox's job, as this machine numbers them.
    List<Long> processesOf(String sandbox) throws IOException {
        for (var parent : cgroups()) {
            var processes = parent.resolve(sandbox).resolve("cgroup.procs");
            if (Files.exists(processes)) {
                return Files.readAllLines(processes).stream().map(Long::valueOf).toList();
            }
        }
        return List.of();
    }

    /// Sandboxes that exist now.
    Live live() throws IOException {
        return new Live(busy());
    }

    /// Names of sandboxes of which something lives: a cgroup with a process in it, or a namespace that one of the
    /// supervising processes holds. Parked ones are not among them, for those come and go by themselves.
    private Set<String> busy() throws IOException {
        var busy = new TreeSet<String>();
        for (var parent : cgroups()) {
            try (var children = Files.newDirectoryStream(parent, Files::isDirectory)) {
                for (var child : children) {
                    if (!child.endsWith("supervisor") && hasStrangers(child)) {
                        busy.add(child.getFileName().toString());
                    }
                }
            }
        }
        return busy;
    }

    /// Whether more than the one parked process is in a cgroup, or one that has executed something.
    private static boolean hasStrangers(Path cgroup) throws IOException {
        try {
            for (var process : Files.readAllLines(cgroup.resolve("cgroup.procs"))) {
                var name =
                        Files.readString(Path.of("/proc/" + process + "/comm")).strip();
                if (!name.equals("bobbin-job") && !name.equals("bobbin-init")) {
                    return true;
                }
            }
        } catch (IOException e) {
            // it ended while we looked
            return Files.exists(cgroup) && cgroupIsBusy(cgroup);
        }
        return false;
    }

    private static boolean cgroupIsBusy(Path cgroup) {
        try {
            return Files.readAllLines(cgroup.resolve("cgroup.procs")).size() > 1;
        } catch (IOException _) {
            return false;
        }
    }

    /// How many PID namespaces other than ours have processes of this Bobbin's sandboxes in them: one a sandbox.
    private int namespaces() throws IOException {
        var found = new TreeSet<String>();
        for (var process : supervising()) {
            try {
                found.add(Files.readSymbolicLink(Path.of("/proc/" + process + "/ns/pid_for_children"))
                        .toString());
            } catch (IOException _) {
                // it ended while we looked
            }
        }
        return found.size();
    }

    /// What lived at one moment while the host was open.
    final class Live {
        private final Set<String> busy;

        private Live(Set<String> busy) {
            this.busy = busy;
        }

        /// Fails unless within `patience` nothing lives but what lived then, every sandbox with a live directory has a
        /// PID namespace and the other way round, and the host's mounts are what they were.
        void assertNothingMore(java.time.Duration patience) throws IOException, InterruptedException {
            var deadline = System.nanoTime() + patience.toNanos();
            while (!busy.containsAll(busy()) || namespaces() - 1 > directories()) {
                if (System.nanoTime() > deadline) {
                    assertThat(busy()).as("sandboxes in which something runs").isSubsetOf(busy);
                    assertThat(namespaces() - 1).as("PID namespaces").isLessThanOrEqualTo(directories());
                    return;
                }
                java.util.concurrent.TimeUnit.MILLISECONDS.sleep(5);
            }
            assertThat(mounts()).as("mounts of the host").isEqualTo(mounts);
        }

        private int directories() throws IOException {
            try (var live = Files.list(runDir.resolve("s"))) {
                return (int) live.count();
            }
        }
    }

    private Set<String> mounts() throws IOException {
        var mentioning = new TreeSet<String>();
        for (var line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
            if (line.contains(runDir.toString()) || line.contains(" stage ") || line.contains(" nursery ")) {
                mentioning.add(line);
            }
        }
        return mentioning;
    }

    /// Cgroups of everybody come and go while the tree is read, so what vanishes is passed over.
    private List<Path> cgroups() throws IOException {
        var name = Cgroups.name(runDir);
        var found = new ArrayList<Path>();
        Files.walkFileTree(Path.of("/sys/fs/cgroup"), new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                if (directory.endsWith(name)) {
                    found.add(directory);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException e) {
                return FileVisitResult.CONTINUE;
            }
        });
        return found;
    }
}
