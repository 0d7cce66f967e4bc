package dev.bobbin.scheduler.http.exchange;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import java.io.EOFException;
import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;

/// A connection that has left HTTP ([Takeovers]): bytes both ways. One thread may read, any thread may write.
public final class RawConnection {
    private static final byte[] NOTHING = new byte[0];
    /// Small enough that whoever takes anything at all is seen to take it.
    private static final int PIECE = 8 * 1024;

    private final DataReader reader;
    private final DataWriter writer;
    private final ReentrantLock writing = new ReentrantLock();
    private volatile long heardNanos = System.nanoTime();

    RawConnection(Connection connection) {
        this.reader = connection.reader();
        this.writer = connection.writer();
    }

    /// The next bytes, as many as are there, at least one; none once the client sends no more.
    public byte[] read() {
        try {
            if (reader.available() == 0) {
                reader.pullData();
            }
            heardNanos = System.nanoTime();
            return reader.readBytes(reader.available());
        } catch (RuntimeException _) {
            return NOTHING; // an end in good order and a broken connection look alike
        }
    }

    /// The next `length` bytes.
    ///
    /// @throws EOFException if the client sends no more
    public byte[] read(int length) throws EOFException {
        try {
            var bytes = reader.readBytes(length);
            heardNanos = System.nanoTime();
            return bytes;
        } catch (RuntimeException _) {
            throw new EOFException("the client sends no more");
        }
    }

    /// How long nothing was read.
    public long quietNanos() {
        return System.nanoTime() - heardNanos;
    }

    /// Sends the bytes, waiting for as long as the client takes some.
    public void write(byte[] data) throws Streamed.ClientGone {
        writing.lock();
        try {
            for (var start = 0; start < data.length; start += PIECE) {
                var end = Math.min(data.length, start + PIECE);
                writer.writeNow(BufferData.create(Arrays.copyOfRange(data, start, end)));
            }
        } catch (RuntimeException e) {
            throw new Streamed.ClientGone(e);
        } finally {
            writing.unlock();
        }
    }
}
