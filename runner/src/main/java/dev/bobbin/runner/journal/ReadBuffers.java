package dev.bobbin.runner.journal;

import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/// Where readers of much output read to. A few buffers outside the heap, which spare a copy on the way in and one on
/// the way out, serve one reader after the other; a reader keeps its own for as long as its client takes its time. When
/// all are out, the next get short ones of the heap: a thousand slow clients cost a thousand of these. Safe for many
/// threads.
final class ReadBuffers {
    private static final int LONG = 256 * 1024;
    private static final int SHORT = 32 * 1024;
    private static final int MOST = 16;

    private final ConcurrentLinkedQueue<ByteBuffer> free = new ConcurrentLinkedQueue<>();
    private final AtomicInteger made = new AtomicInteger();

    /// An empty buffer, to be given back.
    ByteBuffer take() {
        var buffer = free.poll();
        if (buffer != null) {
            return buffer.clear();
        }
        if (made.get() < MOST && made.incrementAndGet() <= MOST) {
            return ByteBuffer.allocateDirect(LONG);
        }
        return ByteBuffer.allocate(SHORT);
    }

    void giveBack(ByteBuffer buffer) {
        if (buffer.isDirect()) {
            free.add(buffer);
        }
    }
}
