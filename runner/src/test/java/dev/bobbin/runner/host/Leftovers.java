package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.cgroup.Cgroups;
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
import org.jspecify.annotations.Nullable;

/// What one Bobbin may leave on a machine, counted before it starts and after it ended. Looks only at what carries the
/// name of its run directory, since other Bobbins may run beside it; the mount table is everybody's and must not change
/// by
/// anything that mentions it.
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
        var sockets = runDir.resolve("s");
        if (Files.exists(sockets)) {
            try (var left = Files.list(sockets)) {
                assertThat(left).as("live state of sandboxes").isEmpty();
            }
        }
    }

    private Set<String> mounts() throws IOException {
        var mentioning = new TreeSet<String>();
        for (var line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
            if (line.contains("bobbin")) {
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
