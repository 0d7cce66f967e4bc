package dev.bobbin.runner.sandbox;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/// A directory whose content goes away in the background, one tree at a time. What is thrown in is out of sight at
/// once,
/// and is still removed if the server is killed before. Safe for many threads.
public final class Trash {
    /* Programs made these trees, so a path in them can be longer than the kernel takes. Each directory found is therefore
     * moved up to the top and emptied there: no path is ever longer than two names, no depth needs a stack, and no
     * symbolic link is followed. */

    private static final System.Logger LOG = System.getLogger(Trash.class.getName());

    private final Path directory;
    private final ReentrantLock emptying = new ReentrantLock();

    public Trash(Path directory) {
        this.directory = directory;
    }

    /// Takes `tree` away and removes it in the background.
    public void put(Path tree) throws IOException {
        Files.createDirectories(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        try {
            moveUp(tree);
        } catch (NoSuchFileException _) {
            return;
        }
        emptyInBackground();
    }

    /// Removes what an earlier server left in it.
    public void emptyInBackground() {
        // not a virtual thread: reading directories from a cold disk would hold a processor's carrier
        Thread.ofPlatform().daemon().name("trash").start(this::empty);
    }

    /// Waits until everything is removed, or `timeout` has passed.
    public void await(Duration timeout) throws InterruptedException {
        var deadline = System.nanoTime() + timeout.toNanos();
        if (emptying.tryLock(timeout.toNanos(), TimeUnit.NANOSECONDS)) {
            try {
                while (System.nanoTime() < deadline && removeAll()) {
                    // what came meanwhile
                }
            } catch (IOException e) {
                LOG.log(Level.DEBUG, "the trash is not empty", e);
            } finally {
                emptying.unlock();
            }
        }
    }

    private void moveUp(Path tree) throws IOException {
        Files.move(tree, directory.resolve(UUID.randomUUID().toString()), StandardCopyOption.ATOMIC_MOVE);
    }

    /// Returns when there is nothing left, or what is left cannot be removed.
    void empty() {
        emptying.lock();
        try {
            while (removeAll()) {
                // directories that were moved up meanwhile come next
            }
        } catch (NoSuchFileException _) {
            // there never was anything in it
        } catch (IOException e) {
            LOG.log(Level.WARNING, "what is left of removed sandboxes stays in " + directory + ": " + e.getMessage());
        } finally {
            emptying.unlock();
        }
    }

    /// Whether there was anything.
    private boolean removeAll() throws IOException {
        var any = false;
        try (var trees = Files.newDirectoryStream(directory)) {
            for (var tree : trees) {
                any = true;
                remove(tree);
            }
        }
        return any;
    }

    private void remove(Path tree) throws IOException {
        if (Files.isDirectory(tree, LinkOption.NOFOLLOW_LINKS)) {
            try (var entries = Files.newDirectoryStream(tree)) {
                for (var entry : entries) {
                    removeOrMoveUp(entry);
                }
            }
        }
        Files.deleteIfExists(tree);
    }

    private void removeOrMoveUp(Path entry) throws IOException {
        try {
            Files.deleteIfExists(entry);
        } catch (DirectoryNotEmptyException _) {
            moveUp(entry);
        }
    }
}
