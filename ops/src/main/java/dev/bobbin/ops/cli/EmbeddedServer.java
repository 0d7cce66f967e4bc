package dev.bobbin.ops.cli;

import dev.bobbin.ops.config.BobbinConfig;
import dev.bobbin.runner.host.HostRuntime;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/// A server within one command, in directories of its own, gone with the command.
///
/// Its directories are `embedded/<pid>` below the run and data directories, held by a lock on `embedded/<pid>.lock`
/// beside the former; the kernel gives the lock up when the command is killed, and the next command removes whatever is
/// not held. So neither several commands at once nor a server that starts meanwhile ever meet.
final class EmbeddedServer implements AutoCloseable {
    /// One sandbox is being parked while the server still starts.
    private static final int POOL = 1;
    /// Standard error is the job's: of this server only warnings are heard. Held, or the JDK would forget the level.
    private static final Logger OURS = Logger.getLogger("dev.bobbin");

    private final Path runDir;
    private final Path dataDir;
    private final Path lockFile;
    private final FileLock lock;
    private final @Nullable FileLock turn;
    private final Server server;
    private @Nullable Runnable beforeClose;
    private boolean closed;

    private EmbeddedServer(
            Path runDir, Path dataDir, Path lockFile, FileLock lock, @Nullable FileLock turn, Server server) {
        this.runDir = runDir;
        this.dataDir = dataDir;
        this.lockFile = lockFile;
        this.lock = lock;
        this.turn = turn;
        this.server = server;
    }

    /// A server that has no image but `host`; any number of them go on at once.
    static EmbeddedServer start(BobbinConfig config, Server.Starter starter) throws IOException {
        return start(config, starter, POOL, null);
    }

    /// A server over the images that are kept, which one command has at a time; another waits for its turn.
    static EmbeddedServer withImages(BobbinConfig config, Server.Starter starter, int pool) throws IOException {
        makePrivate(config.images().directory());
        var turn = turn(config.images().directory().resolve("command.lock"));
        try {
            return start(config, starter, pool, turn);
        } catch (IOException | RuntimeException impossible) {
            turn.acquiredBy().close();
            throw impossible;
        }
    }

    private static EmbeddedServer start(BobbinConfig config, Server.Starter starter, int pool, @Nullable FileLock turn)
            throws IOException {
        var runDirs = config.host().runDir().resolve("embedded");
        var dataDirs = config.host().dataDir().resolve("embedded");
        var name = Long.toString(ProcessHandle.current().pid());
        var lockFile = runDirs.resolve(name + ".lock");
        OURS.setLevel(Level.WARNING);
        makePrivate(runDirs);
        makePrivate(dataDirs);
        removeLeftovers(runDirs, dataDirs);
        var lock = tryLock(lockFile);
        if (lock == null) {
            throw new StartException("The directory " + runDirs.resolve(name) + " is held by another process.");
        }
        var runDir = runDirs.resolve(name);
        var dataDir = dataDirs.resolve(name);
        try {
            var imageDir =
                    turn == null ? dataDir.resolve("images") : config.images().directory();
            var server = starter.start(config.embedded(dataDir, runDir, imageDir, pool));
            return new EmbeddedServer(runDir, dataDir, lockFile, lock, turn, server);
        } catch (RuntimeException impossible) {
            remove(runDir, dataDir, lockFile, lock);
            throw impossible;
        }
    }

    Path socket() {
        return BobbinConfig.socket(runDir);
    }

    /// What to do first when this server ends before its command does.
    synchronized void beforeClose(Runnable action) {
        beforeClose = action;
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (beforeClose != null) {
            beforeClose.run();
        }
        try {
            server.close();
        } finally {
            remove(runDir, dataDir, lockFile, lock);
            giveTurnBack();
        }
    }

    private void giveTurnBack() {
        try {
            if (turn != null) {
                turn.acquiredBy().close();
            }
        } catch (IOException _) {
            // the kernel gives it back with this process
        }
    }

    private static FileLock turn(Path file) throws IOException {
        var channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        var lock = channel.tryLock();
        if (lock == null) {
            System.err.println("bobbin: another command has the images, this one waits for it;"
                    + " a server (bobbin serve) lets many have them.");
            lock = channel.lock();
        }
        return lock;
    }

    private static void makePrivate(Path directory) throws IOException {
        try {
            Files.createDirectories(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (java.nio.file.AccessDeniedException denied) {
            throw new StartException(
                    "The directory " + directory.getParent()
                            + " cannot be written: run as root, for example with sudo.",
                    denied);
        }
    }

    private static void removeLeftovers(Path runDirs, Path dataDirs) throws IOException {
        try (var files = Files.newDirectoryStream(runDirs, "*.lock")) {
            for (var lockFile : files) {
                var lock = tryLock(lockFile);
                if (lock == null) {
                    continue;
                }
                var name = lockFile.getFileName().toString().replace(".lock", "");
                if (HostRuntime.removeLeftovers(runDirs.resolve(name))) {
                    remove(runDirs.resolve(name), dataDirs.resolve(name), lockFile, lock);
                } else {
                    lock.acquiredBy().close(); // its last processes are still ending; the next command finds it again
                }
            }
        }
    }

    /// The lock on `file`, or nothing if another process has it.
    private static @Nullable FileLock tryLock(Path file) throws IOException {
        while (true) {
            var channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            var lock = channel.tryLock();
            if (lock == null) {
                channel.close();
                return null;
            }
            if (Files.exists(file)) {
                return lock;
            }
            channel.close(); // somebody who took it for a leftover removed it in between
        }
    }

    private static void remove(Path runDir, Path dataDir, Path lockFile, FileLock lock) {
        try {
            remove(runDir);
            remove(dataDir);
            Files.deleteIfExists(lockFile);
            lock.acquiredBy().close();
        } catch (IOException failed) {
            System.getLogger(EmbeddedServer.class.getName())
                    .log(System.Logger.Level.WARNING, "Cannot remove " + runDir + " and " + dataDir, failed);
        }
    }

    private static void remove(Path directory) throws IOException {
        try {
            Files.walkFileTree(directory, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    Files.deleteIfExists(file);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult postVisitDirectory(Path done, @Nullable IOException failed) throws IOException {
                    Files.deleteIfExists(done);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (NoSuchFileException _) {
            // it never came to be
        }
    }
}
