package dev.bobbin.image.archive;

import static dev.bobbin.image.ImageException.invalid;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import org.jspecify.annotations.Nullable;

/// The archive of a layer while it is read, within limits.
final class LayerArchive {
    private static final int CHUNK = 128 * 1024;

    private final BoundedStream in;
    private final TarReader tar;
    private final ExtractionLimits limits;
    private final byte[] chunk = new byte[CHUNK];
    private final ByteBuffer direct = ByteBuffer.allocateDirect(CHUNK);
    private long entries;
    private long bytes;

    LayerArchive(InputStream in, ExtractionLimits limits) {
        this.in = new BoundedStream(in, limits);
        this.tar = new TarReader(this.in);
        this.limits = limits;
    }

    /// The next entry; nothing at the end, when all that follows was read too.
    @Nullable
    TarEntry next() throws IOException {
        if (Thread.currentThread().isInterrupted()) {
            throw new ClosedByInterruptException();
        }
        var entry = tar.next();
        if (entry == null) {
            in.transferTo(OutputStream.nullOutputStream());
        } else if (++entries > limits.entries()) {
            throw invalid("a layer has more than " + limits.entries() + " entries");
        }
        return entry;
    }

    /// Makes the file of the entry that was given last.
    void create(TarEntry entry, int directory, String name) throws IOException {
        var file = Kernel.createFile(directory, name);
        try {
            for (var segment : entry.segments()) {
                write(file, segment);
            }
            var last = entry.segments().isEmpty() ? null : entry.segments().getLast();
            if (entry.size() > (last == null ? 0 : last.at() + last.length())) {
                Kernel.truncate(file, entry.size());
            }
            Metadata.apply(file, entry);
        } finally {
            Kernel.close(file);
        }
    }

    private void write(int file, TarEntry.Segment segment) throws IOException {
        var position = segment.at();
        var end = position + segment.length();
        while (position < end) {
            var read = tar.read(chunk, 0, (int) Math.min(CHUNK, end - position));
            direct.clear().put(chunk, 0, read).flip();
            Kernel.write(file, direct, position);
            position += read;
            bytes += read;
        }
    }

    /// What was read and written so far.
    LayerExtractor.Extracted extracted() {
        return new LayerExtractor.Extracted(entries, bytes);
    }
}
