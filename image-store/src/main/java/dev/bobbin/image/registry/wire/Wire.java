package dev.bobbin.image.registry.wire;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The client. Safe for use by many threads, virtual ones above all; closing it ends what is under way.
public final class Wire implements AutoCloseable {
    private static final int MOST_IDLE = 32;

    private final WireConfig config;
    private final Connector connector;
    private final ScheduledThreadPoolExecutor clock;
    private final Deque<Idle> idle = new ArrayDeque<>();
    private final Set<Connection> all = new HashSet<>();
    private boolean closed;

    public Wire(WireConfig config, Names names) {
        this.config = config;
        this.clock = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().daemon().name("image-registry-deadlines").factory());
        this.clock.setRemoveOnCancelPolicy(true);
        this.connector = new Connector(config, names, new Trust(config.authorities()), clock);
        var _ = clock.scheduleWithFixedDelay(
                this::sweep, config.idle().toNanos(), config.idle().toNanos(), TimeUnit.NANOSECONDS);
    }

    /// Sends a request to an address within `reach`, and gives the answer as it begins to come.
    ///
    /// @throws RefusedException if no address of the server is within reach
    public Response send(Request request, AddressPolicy.Reach reach) throws IOException {
        for (var kept = take(request.origin(), reach); kept != null; kept = take(request.origin(), reach)) {
            try {
                return kept.exchange(request);
            } catch (IOException e) {
                if (kept.answered() || e instanceof InterruptedIOException) {
                    throw e;
                }
                // the server had closed it while it was idle: it never saw the request
            }
        }
        return admit(connector.connect(request, reach, this::keep)).exchange(request);
    }

    private synchronized Connection admit(Connection connection) throws IOException {
        if (closed) {
            connection.close();
            throw new IOException("the registry client is closed");
        }
        all.removeIf(Connection::ended);
        all.add(connection);
        return connection;
    }

    /// A kept connection to `origin`, if its address is within this request's reach too.
    private synchronized @Nullable Connection take(Origin origin, AddressPolicy.Reach reach) {
        for (var each = idle.descendingIterator(); each.hasNext(); ) {
            var candidate = each.next().connection();
            if (candidate.origin().equals(origin) && reach.permits(candidate.remote())) {
                each.remove();
                return candidate;
            }
        }
        return null;
    }

    private synchronized void keep(Connection connection) {
        if (closed) {
            connection.close();
            return;
        }
        idle.addLast(new Idle(connection, System.nanoTime()));
        if (idle.size() > MOST_IDLE) {
            idle.removeFirst().connection().close();
        }
    }

    private synchronized void sweep() {
        var oldest = System.nanoTime() - config.idle().toNanos();
        while (!idle.isEmpty() && idle.getFirst().since() - oldest < 0) {
            idle.removeFirst().connection().close();
        }
        all.removeIf(Connection::ended);
    }

    @Override
    public synchronized void close() {
        closed = true;
        clock.shutdownNow();
        all.forEach(Connection::close);
        all.clear();
        idle.clear();
    }

    private record Idle(Connection connection, long since) {}
}
