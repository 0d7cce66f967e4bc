package dev.bobbin.scheduler.http.exchange;

import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerResponse;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Notices that a client has gone while its answer is still being made and nothing is written.
public final class Disconnects implements AutoCloseable {
    /* Only a read tells that a client has gone, and only one thread may read a connection. So once an exchange is older
     * than SHORT_MILLIS a thread of its own reads on in place of the connection's thread: an end of the stream means that
     * the client has gone, bytes are its next request and stay in the connection's buffer. When the answer has left, the
     * connection's thread first waits for that read to come back, and then finds the next request where it expects it.
     * The connection stays usable, short exchanges never pay for a thread, and the head of an answer can leave at once,
     * since it need not announce whether the connection will close.
     *
     * A client that shuts down its sending side while it waits looks exactly like one that has gone. */

    private static final long SHORT_MILLIS = 200;

    /// How long a connection waits for its next request, and how old an exchange may be to wait at all: Helidon marks a
    /// connection for closing when a request is older than its idle limit, which must not swallow the next one.
    private static final Duration IDLE = Duration.ofSeconds(60);

    /// What a client may have sent ahead before its leaving can no longer be noticed.
    private static final int MOST_AHEAD = 64 * 1024;

    private final ScheduledThreadPoolExecutor timer;
    private final Set<Thread> idle = ConcurrentHashMap.newKeySet();

    public Disconnects() {
        timer = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().daemon().name("disconnect-timer").factory());
        timer.setRemoveOnCancelPolicy(true);
    }

    /// Runs `gone`, on a thread of its own, if the client goes before the watch is closed. The request must have been
    /// read to its end.
    public Watch watch(ServerResponse response, Runnable gone) {
        var watch = new Watch(Connection.of(response), gone);
        response.whenSent(watch::awaitNextRequest);
        return watch;
    }

    /// Ends the waiting of idle connections, so that a stop need not wait for them.
    @Override
    public void close() {
        timer.shutdownNow();
        idle.forEach(Thread::interrupt);
    }

    /// One exchange under watch.
    public final class Watch implements AutoCloseable {
        private final long beganNanos = System.nanoTime();
        private final Connection connection;
        private final Runnable gone;
        private final ScheduledFuture<?> alarm;
        private @Nullable Thread reading;
        private boolean closed;

        private Watch(Connection connection, Runnable gone) {
            this.connection = connection;
            this.gone = gone;
            this.alarm = timer.schedule(this::begin, SHORT_MILLIS, TimeUnit.MILLISECONDS);
        }

        private synchronized void begin() {
            if (!closed) {
                reading = Thread.ofVirtual().name("disconnect-watch").start(this::readOn);
            }
        }

        private void readOn() {
            var reader = connection.reader();
            try {
                while (reader.available() < MOST_AHEAD) {
                    reader.pullData();
                    if (isClosed()) {
                        return;
                    }
                }
            } catch (RuntimeException _) {
                leave();
            }
        }

        private synchronized boolean isClosed() {
            return closed;
        }

        private synchronized void leave() {
            if (!closed) {
                gone.run();
            }
        }

        /// From now on nobody is told any more.
        @Override
        public void close() {
            alarm.cancel(false);
            synchronized (this) {
                closed = true;
            }
        }

        private void awaitNextRequest() {
            Thread thread;
            synchronized (this) {
                closed = true;
                thread = reading;
            }
            if (thread == null) {
                return;
            }
            if (connection.closesAfterAnswer() || System.nanoTime() - beganNanos > IDLE.toNanos()) {
                throw new CloseConnectionException("answered");
            }
            idle.add(Thread.currentThread());
            try {
                if (!thread.join(IDLE)) {
                    throw new CloseConnectionException("idle");
                }
            } catch (InterruptedException e) {
                throw new CloseConnectionException("stopping", e);
            } finally {
                idle.remove(Thread.currentThread());
            }
        }
    }
}
