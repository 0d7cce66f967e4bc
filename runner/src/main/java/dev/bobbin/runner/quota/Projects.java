package dev.bobbin.runner.quota;

import dev.bobbin.runner.kernel.ProjectQuota;
import dev.bobbin.runner.kernel.ProjectQuota.Use;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// The projects of one Bobbin on the file system of its data directory. Safe for many threads.
public final class Projects {
    /* Several Bobbins may share a file system, and some of them may not run at the moment. So what tells that a project is
     * somebody's is the quota itself, which is on the disk: it has a limit, or something has the project. Whoever looks
     * for one holds a lock of the machine until the limit is set.
     *
     * A file named after the project is there before its limit and after it. What an earlier server had and nobody here
     * has any more is thus known, and is let go of when nothing has that project: removed files go away in the background.
     */

    private static final System.Logger LOG = System.getLogger(Projects.class.getName());
    /// Above what people give by hand, below what is negative in Java.
    private static final int FIRST = 1 << 30;

    /// So far apart do Bobbins begin to look.
    private static final int STRIDE = 4096;

    private static final int STRIDES = 1 << 16;
    private static final int MOST_TRIES = 1 << 20;
    private static final long RETRY_NANOS = TimeUnit.MICROSECONDS.toNanos(200);
    private static final long BYTES_PER_INODE = 4096;
    private static final long FEWEST_INODES = 1024;
    /// Of directories of ours that have the project too.
    private static final long OUR_BYTES = 16 * 1024;

    private static final long OUR_INODES = 16;
    /// What is only counted has this limit, the largest that every format of quotas takes.
    private static final long COUNTED = 1L << 60;

    private final Path directory;
    private final Path machine;
    private final boolean kept;
    private final int first;
    private final Set<Integer> leaving = ConcurrentHashMap.newKeySet();
    private int next;

    private Projects(Path directory, Path machine, boolean kept) {
        this.directory = directory;
        this.machine = machine;
        this.kept = kept;
        this.first = FIRST + STRIDE * Math.floorMod(directory.toString().hashCode(), STRIDES);
        this.next = first;
    }

    /// Those of the data directory `data`.
    ///
    /// @param machine a directory that all Bobbins of this machine lock a file in; made if absent
    public static Projects open(Path data, Path machine) {
        try {
            return new Projects(
                    data.resolve("projects"),
                    machine,
                    FileSystem.of(data).mayKeepQuotas() && ProjectQuota.isKept(data));
        } catch (IOException e) {
            LOG.log(Level.WARNING, "sizes of what lasts are not kept: " + e.getMessage());
            return new Projects(data.resolve("projects"), machine, false);
        }
    }

    /// Whether sizes can be kept here at all.
    public boolean kept() {
        return kept;
    }

    /// Whether that of `project` is kept; 0 is none.
    public boolean keeps(int project) {
        return kept && project != 0;
    }

    /// Gives empty directories a project of their own, which may take so many bytes, and one file for each 4 KiB of
    /// them.
    ///
    /// @param bytes 0 only counts
    public int take(Collection<Path> trees, long bytes) throws IOException {
        var project = claim(bytes == 0 ? COUNTED : Math.min(bytes, COUNTED - 2 * OUR_BYTES) + OUR_BYTES);
        try {
            for (var tree : trees) {
                ProjectQuota.give(tree, project);
            }
            return project;
        } catch (IOException e) {
            leaving.add(project);
            throw e;
        }
    }

    private synchronized int claim(long bytes) throws IOException {
        Files.createDirectories(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Files.createDirectories(machine);
        try (var channel =
                FileChannel.open(machine.resolve("projects"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            lock(channel);
            for (var tries = 0; tries < MOST_TRIES; tries++) {
                var project = next;
                next = project == Integer.MAX_VALUE ? FIRST : project + 1;
                if (Files.notExists(claim(project)) && use(project).isFree()) {
                    Files.createFile(claim(project));
                    limit(project, bytes);
                    return project;
                }
            }
            throw new IOException("no project of the file system of " + directory + " is free");
        }
    }

    private void limit(int project, long bytes) throws IOException {
        try {
            ProjectQuota.limit(directory, project, bytes, inodes(bytes));
        } catch (IOException e) {
            leaving.add(project);
            throw e;
        }
    }

    /// Of another process the kernel waits, but Java refuses one of this process.
    private static void lock(FileChannel channel) throws IOException {
        while (true) {
            try {
                channel.lock();
                return;
            } catch (OverlappingFileLockException _) {
                LockSupport.parkNanos(RETRY_NANOS);
            }
        }
    }

    private Path claim(int project) {
        return directory.resolve(Integer.toString(project));
    }

    private static long inodes(long bytes) {
        return Math.max(FEWEST_INODES, bytes / BYTES_PER_INODE) + OUR_INODES;
    }

    private Use use(int project) throws IOException {
        return ProjectQuota.use(directory, project);
    }

    /// What everything of a project takes; nothing if that is not known.
    public Optional<Use> used(int project) {
        if (!keeps(project)) {
            return Optional.empty();
        }
        try {
            var use = use(project);
            return Optional.of(use.mostBytes() >= COUNTED ? new Use(use.bytes(), use.inodes(), 0, 0) : use);
        } catch (IOException e) {
            LOG.log(Level.WARNING, e.getMessage());
            return Optional.empty();
        }
    }

    /// Lets go of a project as soon as nothing has it, which [#tidy] sees; 0 is none.
    public void release(int project) {
        if (keeps(project)) {
            leaving.add(project);
        }
    }

    /// Lets go of what an earlier server had and `ours` is not.
    public void releaseAllBut(Set<Integer> ours) throws IOException {
        if (!kept || !Files.isDirectory(directory)) {
            return;
        }
        try (var claims = Files.newDirectoryStream(directory)) {
            for (var claim : claims) {
                var project = Integer.parseInt(claim.getFileName().toString());
                if (!ours.contains(project)) {
                    leaving.add(project);
                }
            }
        }
        tidy();
    }

    /// Looks again at what is being let go of.
    public void tidy() {
        for (var project : List.copyOf(leaving)) {
            try {
                if (use(project).inodes() == 0) {
                    ProjectQuota.limit(directory, project, 0, 0);
                    Files.deleteIfExists(claim(project));
                    leaving.remove(project);
                }
            } catch (IOException e) {
                LOG.log(Level.WARNING, "project " + project + " is not let go of: " + e.getMessage());
                leaving.remove(project);
            }
        }
    }
}
