package dev.bobbin.scheduler.http;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;

/// The file of a Unix socket. It is bound in a directory that nobody else may enter and appears at its path only when
/// nobody but its owner may open it; a stale file there is replaced.
final class UnixSocket implements AutoCloseable {
    private final Path path;
    private final Path directory;

    private UnixSocket(Path path, Path directory) {
        this.path = path;
        this.directory = directory;
    }

    static UnixSocket prepare(Path path) throws IOException {
        if (isServed(path)) {
            throw new IOException("somebody listens already on unix:" + path);
        }
        var parent = path.toAbsolutePath().getParent();
        if (parent == null) {
            throw new IOException("unix:" + path + " is not a path of a socket");
        }
        var onlyOwner = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
        return new UnixSocket(path, Files.createTempDirectory(parent, ".", onlyOwner));
    }

    UnixDomainSocketAddress bindAddress() {
        return UnixDomainSocketAddress.of(directory.resolve("s"));
    }

    /// Shows the bound socket at its path.
    void publish() throws IOException {
        var bound = directory.resolve("s");
        Files.setPosixFilePermissions(bound, PosixFilePermissions.fromString("rw-------"));
        Files.move(bound, path, StandardCopyOption.ATOMIC_MOVE);
        Files.delete(directory);
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(path);
        Files.deleteIfExists(directory.resolve("s"));
        Files.deleteIfExists(directory);
    }

    private static boolean isServed(Path path) {
        if (!Files.exists(path)) {
            return false;
        }
        try (var channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            return channel.connect(UnixDomainSocketAddress.of(path));
        } catch (IOException _) {
            return false;
        }
    }
}
