package dev.bobbin.image.store;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.function.LongConsumer;

/// A stream whose bytes are also kept while they are read.
final class Tee extends FilterInputStream {
    private final Arrival arrival;
    private final LongConsumer progress;
    private long count;

    /// @param progress told how many bytes were read so far, after each read
    Tee(InputStream in, Arrival arrival, LongConsumer progress) {
        super(in);
        this.arrival = arrival;
        this.progress = progress;
    }

    @Override
    public int read() throws IOException {
        var single = new byte[1];
        var read = read(single, 0, 1);
        return read < 0 ? -1 : single[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
        var read = super.read(buffer, offset, length);
        if (read > 0) {
            arrival.write(buffer, offset, read);
            count += read;
            progress.accept(count);
        }
        return read;
    }

    @Override
    public long skip(long bytes) throws IOException {
        return readNBytes((int) Math.min(bytes, 64 * 1024)).length;
    }

    @Override
    public boolean markSupported() {
        return false;
    }
}
