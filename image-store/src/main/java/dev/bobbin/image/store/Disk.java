package dev.bobbin.image.store;

import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The directories of a store, and how things come into and go out of them: whole, or not at all.
///
/// What is made lies in `aside/` until it is complete and on the disk; only then is it renamed to its place. What is
/// removed is renamed back to `aside/` and taken apart there, off the way of whoever removed it; what is left of
/// either by a crash is removed when the store is opened.
final class Disk implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Disk.class.getName());
    private static final String VERSION = "1";

    private final Path root;
    private final Set<Thread> background = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    private Disk(Path root) {
        this.root = root;
    }

    /// Makes what is absent below `root`, which is held by this process, and begins to remove what was left aside.
    ///
    /// @throws IllegalStateException if a newer Bobbin wrote it
    static Disk open(Path root) throws IOException {
        var disk = new Disk(root);
        var privately = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
        for (var directory : new Path[] {disk.blobs(), disk.index(), disk.layers(), disk.aside()}) {
            Files.createDirectories(directory, privately);
        }
        var version = root.resolve("version");
        if (!Files.exists(version)) {
            disk.write(version, (VERSION + "\n").getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        } else if (!Files.readString(version).strip().equals(VERSION)) {
            throw new IllegalStateException("the image store in " + root + " has version "
                    + Files.readString(version).strip() + "; this Bobbin reads version " + VERSION);
        }
        try (var left = Files.newDirectoryStream(disk.aside())) {
            left.forEach(disk::remove);
        }
        return disk;
    }

    Path blobs() {
        return root.resolve("blobs");
    }

    Path index() {
        return root.resolve("index");
    }

    Path layers() {
        return root.resolve("layers");
    }

    private Path aside() {
        return root.resolve("aside");
    }

    /// A path at which nothing is yet, to make something at.
    Path fresh(String purpose) {
        return aside().resolve(purpose + "-" + UUID.randomUUID());
    }

    /// Puts a file of this content to `target`, in place of what is there.
    void write(Path target, byte[] content) throws IOException {
        var made = fresh("file");
        try {
            Files.write(made, content, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rw-------"));
            publish(made, target);
        } catch (IOException | RuntimeException e) {
            Files.deleteIfExists(made);
            throw e;
        }
    }

    /// Moves what was made by [#fresh] to its place; it is on the disk before it is there.
    void publish(Path made, Path target) throws IOException {
        sync(made);
        Files.move(made, target, StandardCopyOption.ATOMIC_MOVE);
        sync(Objects.requireNonNull(target.getParent()));
    }

    /// Takes a file or tree away; from here on it is not there.
    void discard(Path victim) throws IOException {
        var dying = fresh("dying");
        try {
            Files.move(victim, dying, StandardCopyOption.ATOMIC_MOVE);
        } catch (NoSuchFileException _) {
            return;
        }
        remove(dying);
    }

    /// Removes something in `aside/`, on a thread of its own.
    void remove(Path dying) {
        later("remove", () -> {
            try {
                removeTree(dying);
            } catch (IOException e) {
                LOG.log(Level.WARNING, dying + " could not be removed yet: " + e.getMessage());
            }
        });
    }

    /// Does something on a thread of its own, before this is closed or never.
    void later(String name, Runnable work) {
        var thread = Thread.ofVirtual().name(name).unstarted(() -> {
            try {
                work.run();
            } finally {
                background.remove(Thread.currentThread());
            }
        });
        synchronized (background) {
            if (!closed) {
                background.add(thread);
                thread.start();
            }
        }
    }

    private void removeTree(Path tree) throws IOException {
        if (!Files.exists(tree, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Files.walkFileTree(tree, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.deleteIfExists(file);
                return closed ? FileVisitResult.TERMINATE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException e) throws IOException {
                if (e != null) {
                    throw e;
                }
                Files.deleteIfExists(directory);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    /// Brings a file or directory itself to the disk.
    static void sync(Path path) throws IOException {
        try (var channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /// What to tell of a failure of the disk.
    static ImageException failure(String tried, IOException e) {
        var text = String.valueOf(e.getMessage());
        if (text.contains("No space left on device") || text.contains("Disk quota exceeded")) {
            return new ImageException(
                    ImageProblem.DISK_FULL,
                    tried + ": the disk of the image store is full; `bobbin prune` frees some",
                    e);
        }
        return new ImageException(ImageProblem.HOST_FAILED, tried + ": " + text, e);
    }

    /// Waits for removals to stop; what they leave is removed when the store is opened again.
    @Override
    public void close() {
        synchronized (background) {
            closed = true;
        }
        for (var thread : background) {
            try {
                thread.join();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }
}
