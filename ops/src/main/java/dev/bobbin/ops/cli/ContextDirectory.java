package dev.bobbin.ops.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.jspecify.annotations.Nullable;

/// A directory on its way to the server as a tar archive, read while it is sent. Links are sent as links. What an
/// ignore file leaves out the server leaves out, in one place for every client.
final class ContextDirectory {
    private static final int BUFFER = 256 * 1024;

    private final Path directory;

    ContextDirectory(Path directory) {
        this.directory = directory;
    }

    /// The archive. If the directory cannot be read to its end, neither can this.
    InputStream archive() throws IOException {
        var pipe = new Pipe();
        var out = new PipedOutputStream(pipe);
        Thread.ofPlatform().daemon().name("context").start(() -> {
            try (out) {
                write(out, pipe);
            } catch (IOException _) {
                // whoever reads knows
            }
        });
        return pipe;
    }

    /// Says what went wrong before the end can be seen; so the archive is not closed, only finished.
    private void write(OutputStream out, Pipe pipe) {
        var tar = new TarArchiveOutputStream(out, "UTF-8");
        tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
        tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
        tar.setAddPaxHeadersForNonAsciiNames(true);
        try {
            below(directory, "", tar);
            tar.finish();
            out.flush();
        } catch (IOException e) {
            pipe.broken = e;
        }
    }

    private static void below(Path directory, String prefix, TarArchiveOutputStream tar) throws IOException {
        var entries = new ArrayList<Path>();
        try (var stream = Files.newDirectoryStream(directory)) {
            stream.forEach(entries::add);
        }
        entries.sort(null);
        for (var entry : entries) {
            one(entry, prefix + entry.getFileName(), tar);
        }
    }

    private static void one(Path path, String name, TarArchiveOutputStream tar) throws IOException {
        var mode = (int) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS) & 07777;
        if (Files.isSymbolicLink(path)) {
            var entry = new TarArchiveEntry(name, TarConstants.LF_SYMLINK);
            entry.setLinkName(Files.readSymbolicLink(path).toString());
            put(entry, 0777, tar);
            tar.closeArchiveEntry();
        } else if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            put(new TarArchiveEntry(name + "/"), mode, tar);
            tar.closeArchiveEntry();
            below(path, name + "/", tar);
        } else if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
            try (var content = Files.newInputStream(path, LinkOption.NOFOLLOW_LINKS)) {
                var entry = new TarArchiveEntry(name);
                entry.setSize(Files.size(path));
                put(entry, mode, tar);
                content.transferTo(tar);
                tar.closeArchiveEntry();
            }
        }
    }

    private static void put(TarArchiveEntry entry, int mode, TarArchiveOutputStream tar) throws IOException {
        entry.setMode(mode);
        tar.putArchiveEntry(entry);
    }

    /// Ends with the trouble that its writer had.
    private static final class Pipe extends PipedInputStream {
        private volatile @Nullable IOException broken;

        Pipe() {
            super(BUFFER);
        }

        @Override
        public synchronized int read(byte[] buffer, int from, int length) throws IOException {
            var read = super.read(buffer, from, length);
            var trouble = broken;
            if (read < 0 && trouble != null) {
                throw new UnreadableException(trouble);
            }
            return read;
        }
    }

    /// The directory, not the server, is to blame.
    static final class UnreadableException extends IOException {
        UnreadableException(IOException cause) {
            super("the directory cannot be read: " + cause.getMessage(), cause);
        }
    }
}
