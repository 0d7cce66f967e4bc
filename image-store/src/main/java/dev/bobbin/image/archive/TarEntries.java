package dev.bobbin.image.archive;

import dev.bobbin.image.TarFile;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import org.jspecify.annotations.Nullable;

/// Tells the entries of a tar archive, plain or compressed, to whoever puts them somewhere else than an image.
public final class TarEntries {
    private TarEntries() {}

    /// Reads an archive to its end.
    public static void read(InputStream tar, ExtractionLimits limits, TarFile.Sink sink) throws IOException {
        var reader = new TarReader(Compression.open(tar, limits));
        var count = 0L;
        for (var entry = reader.next(); entry != null; entry = reader.next()) {
            if (++count > limits.entries()) {
                throw new IOException("the archive has more than " + limits.entries() + " entries");
            }
            sink.file(entry(entry), content(entry, reader));
        }
    }

    private static TarFile entry(TarEntry entry) {
        return new TarFile(
                entry.name(),
                entry.link(),
                kind(entry.kind()),
                entry.permissions(),
                id(entry.uid()),
                id(entry.gid()),
                Math.max(0, entry.modified().seconds()),
                entry.size(),
                device(entry));
    }

    private static TarFile.@Nullable Device device(TarEntry entry) {
        return switch (entry.kind()) {
            case CHARACTER_DEVICE -> new TarFile.Device('c', entry.major(), entry.minor());
            case BLOCK_DEVICE -> new TarFile.Device('b', entry.major(), entry.minor());
            case FILE, HARD_LINK, SYMBOLIC_LINK, DIRECTORY, FIFO -> null;
        };
    }

    private static int id(long value) {
        return value < 0 || value > Integer.MAX_VALUE ? -1 : (int) value;
    }

    private static TarFile.Kind kind(TarEntry.Kind kind) {
        return switch (kind) {
            case FILE -> TarFile.Kind.FILE;
            case DIRECTORY -> TarFile.Kind.DIRECTORY;
            case SYMBOLIC_LINK -> TarFile.Kind.SYMBOLIC_LINK;
            case HARD_LINK -> TarFile.Kind.HARD_LINK;
            case FIFO -> TarFile.Kind.PIPE;
            case CHARACTER_DEVICE, BLOCK_DEVICE -> TarFile.Kind.DEVICE;
        };
    }

    /// The whole file, holes as zeros.
    private static InputStream content(TarEntry entry, TarReader reader) {
        var parts = new ArrayList<InputStream>();
        var at = 0L;
        for (var segment : entry.segments()) {
            parts.add(zeros(segment.at() - at));
            parts.add(new BoundedContent(reader, segment.length()));
            at = segment.at() + segment.length();
        }
        parts.add(zeros(entry.kind() == TarEntry.Kind.FILE ? entry.size() - at : 0));
        return new SequenceInputStream(Collections.enumeration(parts));
    }

    private static InputStream zeros(long count) {
        return count <= 0 ? new ByteArrayInputStream(new byte[0]) : new Zeros(count);
    }

    private static final class BoundedContent extends InputStream {
        private final TarReader reader;
        private long left;

        BoundedContent(TarReader reader, long left) {
            this.reader = reader;
            this.left = left;
        }

        @Override
        public int read() throws IOException {
            var one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int from, int length) throws IOException {
            if (left == 0 || length == 0) {
                return length == 0 ? 0 : -1;
            }
            var read = reader.read(buffer, from, (int) Math.min(length, left));
            left -= Math.max(0, read);
            return read;
        }
    }

    private static final class Zeros extends InputStream {
        private long left;

        Zeros(long left) {
            this.left = left;
        }

        @Override
        public int read() {
            return left-- > 0 ? 0 : -1;
        }

        @Override
        public int read(byte[] buffer, int from, int length) {
            var some = (int) Math.min(length, left);
            Arrays.fill(buffer, from, from + some, (byte) 0);
            left -= some;
            return some == 0 && length > 0 ? -1 : some;
        }
    }
}
