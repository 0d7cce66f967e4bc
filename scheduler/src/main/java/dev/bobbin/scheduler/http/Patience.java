package dev.bobbin.scheduler.http;

import dev.bobbin.scheduler.http.exchange.Progress;
import io.helidon.common.buffers.BufferData;
import io.helidon.common.concurrency.limits.Limit;
import io.helidon.common.task.InterruptableTask;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/// Lets clients go that leave a request unfinished, or take nothing of what is sent to them, for too long. Helidon's
/// own timeouts end only connections between requests.
final class Patience implements ServerConnectionSelector, AutoCloseable {
    private static final long LOOK_MILLIS = 1000;

    private final ServerConnectionSelector http =
            Http1ConnectionSelector.builder().config(Http1Config.create()).build();
    private final Map<String, Progress> connections = new ConcurrentHashMap<>();
    private final Duration limit;
    private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("patience").factory());

    Patience(Duration limit) {
        this.limit = limit;
        var look = Math.min(LOOK_MILLIS, Math.max(1, limit.toMillis() / 4));
        var _ = timer.scheduleWithFixedDelay(this::look, look, look, TimeUnit.MILLISECONDS);
    }

    /// The head of a request has come; the answer's end is heard of by itself.
    void begin(RoutingRequest request, RoutingResponse response) {
        var progress = connections.get(request.serverSocketId() + " " + request.socketId());
        if (progress != null) {
            progress.headHasCome();
            request.context().register(progress);
            response.whenSent(() -> progress.answered(
                    request.content().hasEntity() && !request.content().consumed()));
        }
    }

    private void look() {
        connections.values().stream()
                .filter(progress -> progress.isStalled(limit))
                .forEach(Progress::end);
    }

    @Override
    public int bytesToIdentifyConnection() {
        return http.bytesToIdentifyConnection();
    }

    @Override
    public Support supports(BufferData data) {
        return http.supports(data);
    }

    @Override
    public Set<String> supportedApplicationProtocols() {
        return http.supportedApplicationProtocols();
    }

    /// The only selector, so this is called before a byte has come.
    @Override
    public ServerConnection connection(ConnectionContext context) {
        var progress = new Progress(context);
        connections.put(progress.id(), progress);
        return new Watched(progress, http.connection(progress));
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }

    /// A connection for as long as it lasts.
    private final class Watched implements ServerConnection, InterruptableTask<Void> {
        private final Progress progress;
        private final ServerConnection connection;

        Watched(Progress progress, ServerConnection connection) {
            this.progress = progress;
            this.connection = connection;
        }

        @Override
        public void handle(Limit requests) throws InterruptedException {
            try {
                connection.handle(requests);
            } finally {
                connections.remove(progress.id(), progress);
            }
        }

        /// Helidon asks this at a stop, and lets whoever has no request go at once.
        @Override
        public boolean canInterrupt() {
            return connection instanceof InterruptableTask<?> task && task.canInterrupt();
        }

        @Override
        public Duration idleTime() {
            return connection.idleTime();
        }

        @Override
        public void close(boolean interrupt) {
            connection.close(interrupt);
        }
    }
}
