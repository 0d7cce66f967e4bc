package dev.bobbin.scheduler.http.exchange;

import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Lets handlers take connections over: in place of an answer goes a head of the handler's own, then bytes both ways.
public final class Takeovers implements AutoCloseable {
    /* Helidon offers upgrades before routing, of requests without a body, and so past the doorkeeper. Here a handler that
     * was routed to like any other writes past Helidon's answer to the connection, reads what comes behind the request, and
     * ends the connection in the end, so Helidon never sees what was said. Clients that take nothing are let go by whoever
     * watches the connection, taken over or not. */

    private static final System.Logger LOG = System.getLogger(Takeovers.class.getName());
    /// How long a stop waits for what is still to be said on open connections.
    private static final long GOODBYE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition left = lock.newCondition();
    private final Map<RawConnection, Thread> open = new ConcurrentHashMap<>();

    /// What is done with a connection. An interrupt says that the server stops.
    @FunctionalInterface
    public interface Talk {
        void with(RawConnection connection) throws IOException, InterruptedException;
    }

    /// Sends `head`, gives the connection to `talk` on the calling thread, and ends it afterwards. The request must
    /// have been read to its end, and nothing may have been answered.
    ///
    /// @param head status line and headers, each ended by CR LF, without the empty line
    /// @return what the handler is to throw
    public CloseConnectionException take(ServerResponse response, String head, Talk talk) {
        var connection = new RawConnection(Connection.of(response));
        open.put(connection, Thread.currentThread());
        try {
            connection.write((head + "\r\n").getBytes(java.nio.charset.StandardCharsets.UTF_8));
            talk.with(connection);
            return new CloseConnectionException("ended");
        } catch (Streamed.ClientGone e) {
            return new CloseConnectionException("the client has gone", e);
        } catch (InterruptedException e) {
            return new CloseConnectionException("the server is stopping", e);
        } catch (IOException | RuntimeException e) {
            LOG.log(System.Logger.Level.ERROR, "serve a connection that was taken over", e);
            return new CloseConnectionException("failed", e);
        } finally {
            leave(connection);
            Thread.interrupted();
        }
    }

    private void leave(RawConnection connection) {
        open.remove(connection);
        lock.lock();
        try {
            left.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Ends what goes on, and gives it a second to say so: Helidon interrupts its threads a second time when it
    /// stops, and an interrupt closes a connection that is being written to.
    @Override
    public void close() {
        open.values().forEach(Thread::interrupt);
        lock.lock();
        try {
            var wait = GOODBYE_NANOS;
            while (!open.isEmpty() && wait > 0) {
                wait = left.awaitNanos(wait);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }
}
