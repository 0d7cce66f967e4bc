package dev.bobbin.scheduler.http.exchange;

import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerResponse;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
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
     * A client that shuts down its sending side while it waits looks exactly like one that has gone. One that has sent its
     * next request ahead is not noticed before a write fails. */

    private static final long SHORT_MILLIS = 200;

    /// How often young exchanges are looked through. One look for all: an alarm for each would wake a thread for each.
    private static final long LOOK_MILLIS = 100;

    /// How long a connection waits for its next request, and how old an exchange may be to wait at all: Helidon marks a
    /// connection for closing when a request is older than its idle limit, which must not swallow the next one.
    private static final Duration IDLE = Duration.ofSeconds(60);

    private final ScheduledThreadPoolExecutor timer;
    private final Set<Watch> young = ConcurrentHashMap.newKeySet();
    private final Set<Thread> idle = ConcurrentHashMap.newKeySet();

    public Disconnects() {
        timer = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().daemon().name("disconnect-timer").factory());
        var _ = timer.scheduleWithFixedDelay(this::beginGrown, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    /// Runs `gone`, on a thread of its own, if the client goes before the watch is closed. The request must have been
    /// read to its end.
    public Watch watch(ServerResponse response, Runnable gone) {
        var watch = new Watch(Connection.of(response), gone);
        response.whenSent(watch::awaitNextRequest);
        young.add(watch);
        return watch;
    }

    private void beginGrown() {
        var before = System.nanoTime() - TimeUnit.MILLISECONDS.toNanos(SHORT_MILLIS);
        young.removeIf(watch -> watch.beginIfBegunBefore(before));
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
        private Runnable gone;
        private @Nullable Thread reading;
        private boolean left;
        private boolean closed;

        private Watch(Connection connection, Runnable gone) {
            this.connection = connection;
            this.gone = gone;
        }

        /// Whether it was old enough, so that there is nothing to come back for.
        private synchronized boolean beginIfBegunBefore(long nanos) {
            if (beganNanos - nanos >= 0) {
                return false;
            }
            if (!closed && connection.reader().available() == 0) {
                reading = Thread.ofVirtual().name("disconnect-watch").start(this::readOn);
            }
            return true;
        }

        private void readOn() {
            try {
                connection.reader().pullData();
            } catch (RuntimeException _) {
                leave();
            }
        }

        private synchronized void leave() {
            left = true;
            if (!closed) {
                gone.run();
            }
        }

        /// Runs `other` from now on; at once if the client has gone already.
        public synchronized void instead(Runnable other) {
            gone = other;
            if (left && !closed) {
                other.run();
            }
        }

        /// From now on nobody is told any more.
        @Override
        public void close() {
            young.remove(this);
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
