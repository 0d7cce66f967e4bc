package dev.bobbin.image.archive;

import static dev.bobbin.image.ImageException.invalid;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/// An archive that must not be longer than its limit.
final class BoundedStream extends FilterInputStream {
    private final long limit;
    private long read;

    BoundedStream(InputStream in, ExtractionLimits limits) {
        super(in);
        this.limit = limits.bytes();
    }

    @Override
    public int read() throws IOException {
        var value = in.read();
        count(value < 0 ? 0 : 1);
        return value;
    }

    @Override
    public int read(byte[] buffer, int from, int length) throws IOException {
        var count = in.read(buffer, from, length);
        count(Math.max(0, count));
        return count;
    }

    /// Reads what it skips: a seek would go beyond the end of a short file.
    @Override
    public long skip(long count) throws IOException {
        var unread = new byte[(int) Math.min(count, 64 * 1024)];
        return Math.max(0, read(unread, 0, unread.length));
    }

    private void count(long bytes) {
        read += bytes;
        if (read > limit) {
            throw invalid("a layer unpacks to more than " + limit + " bytes");
        }
    }
}
