package dev.bobbin.runner.build;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Bytes that are written once, one behind the other, and then read by many: in memory while they are few, else in an
/// unnamed file on the disk, which goes when this is closed.
final class Spool implements AutoCloseable {
    private static final int SMALL = 64 << 10;

    private final Path directory;
    private byte[] memory = new byte[1 << 10];
    private @Nullable FileChannel file;
    private long bytes;

    /// @param directory of the file, if there has to be one
    Spool(Path directory) {
        this.directory = directory;
    }

    long bytes() {
        return bytes;
    }

    /// Adds some. By one thread, before anybody reads.
    ///
    /// @throws BuildException DISK_FULL or HOST if this machine does not take it, which no sender is to blame for
    void write(byte[] buffer, int from, int length) {
        try {
            add(buffer, from, length);
        } catch (IOException e) {
            throw new BuildException(problem(e), 0, "the files of the build cannot be kept: " + e.getMessage(), e);
        }
    }

    private static BuildException.Problem problem(IOException e) {
        var text = String.valueOf(e.getMessage());
        return text.contains("No space left on device") || text.contains("Disk quota exceeded")
                ? BuildException.Problem.DISK_FULL
                : BuildException.Problem.HOST;
    }

    private void add(byte[] buffer, int from, int length) throws IOException {
        if (file == null && bytes + length > SMALL) {
            file = FileChannel.open(
                    Files.createTempFile(directory, "context", ""),
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE,
                    StandardOpenOption.DELETE_ON_CLOSE);
            put(file, ByteBuffer.wrap(memory, 0, (int) bytes));
            memory = new byte[0];
        }
        if (file != null) {
            put(file, ByteBuffer.wrap(buffer, from, length));
        } else {
            var end = (int) bytes + length;
            if (end > memory.length) {
                memory = Arrays.copyOf(memory, Math.min(SMALL, Math.max(end, 2 * memory.length)));
            }
            System.arraycopy(buffer, from, memory, (int) bytes, length);
        }
        bytes += length;
    }

    private static void put(FileChannel file, ByteBuffer some) throws IOException {
        while (some.hasRemaining()) {
            file.write(some);
        }
    }

    /// A part of it.
    InputStream open(long at, long length) {
        return new Part(at, length);
    }

    private int read(byte[] buffer, int from, int length, long at) throws IOException {
        if (file != null) {
            return file.read(ByteBuffer.wrap(buffer, from, length), at);
        }
        System.arraycopy(memory, (int) at, buffer, from, length);
        return length;
    }

    @Override
    public void close() throws IOException {
        if (file != null) {
            file.close();
        }
    }

    private final class Part extends InputStream {
        private long at;
        private long left;

        Part(long at, long left) {
            this.at = at;
            this.left = left;
        }

        @Override
        public int read() throws IOException {
            var one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int from, int length) throws IOException {
            if (left == 0) {
                return -1;
            }
            var read = Spool.this.read(buffer, from, (int) Math.min(length, left), at);
            at += Math.max(0, read);
            left -= Math.max(0, read);
            return read;
        }
    }
}
