package dev.bobbin.image.registry.wire;

import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Ends a socket that is still at it when its time is over. The one remedy that works in every state: connecting,
/// shaking hands, writing to a peer that does not read, reading from one that trickles.
final class Deadline implements AutoCloseable {
    private final ScheduledExecutorService clock;
    private final Socket socket;
    private volatile long at;
    private volatile boolean passed;
    private volatile boolean closed;
    private volatile @Nullable Future<?> waiting;

    /// @param socket the plain socket, never the TLS one over it, whose close can wait for a stuck writer
    Deadline(ScheduledExecutorService clock, Socket socket, Duration time) {
        this.clock = clock;
        this.socket = socket;
        extend(time);
        await(time.toNanos());
    }

    /// From now on, so much time.
    void extend(Duration time) {
        at = System.nanoTime() + time.toNanos();
    }

    /// Whether the socket was ended by this deadline.
    boolean passed() {
        return passed;
    }

    private void await(long nanos) {
        try {
            waiting = clock.schedule(this::look, nanos, TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException _) {
            end(); // the client was closed
        }
    }

    private void look() {
        var left = at - System.nanoTime();
        if (closed) {
            return;
        }
        if (left > 0) {
            await(left);
            return;
        }
        passed = true;
        end();
    }

    private void end() {
        try {
            socket.close();
        } catch (IOException _) {
            // it is of no use any more either way
        }
    }

    @Override
    public void close() {
        closed = true;
        var pending = waiting;
        if (pending != null) {
            pending.cancel(false);
        }
    }
}
