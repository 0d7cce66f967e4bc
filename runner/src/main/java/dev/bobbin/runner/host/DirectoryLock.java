package dev.bobbin.runner.host;

import dev.bobbin.runner.sandbox.SandboxException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;

/// Holds a directory for this process: a second Bobbin on the same directory is refused. The kernel lets go when the
/// process ends, however it ends.
final class DirectoryLock implements AutoCloseable {
    private final FileChannel channel;

    private DirectoryLock(FileChannel channel) {
        this.channel = channel;
    }

    /// Makes `directory` if it is absent, and takes it.
    static DirectoryLock take(Path directory) throws IOException {
        Files.createDirectories(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        var channel = FileChannel.open(directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            if (channel.tryLock() != null) {
                return new DirectoryLock(channel);
            }
        } catch (OverlappingFileLockException _) {
            // held by this very process: the answer is the same
        }
        channel.close();
        throw new SandboxException(directory + " is in use by another Bobbin; stop it or choose another directory");
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException _) {
            // the kernel has let go of it all the same
        }
    }
}
