package dev.bobbin.scheduler.http;

import dev.bobbin.scheduler.dispatch.Dispatcher;
import dev.bobbin.scheduler.dispatch.ImageDirectory;
import dev.bobbin.scheduler.dispatch.SandboxDirectory;
import dev.bobbin.scheduler.http.agentkernel.Agentkernel;
import dev.bobbin.scheduler.http.exchange.Dialect;
import dev.bobbin.scheduler.http.exchange.Disconnects;
import dev.bobbin.scheduler.http.exchange.Takeovers;
import dev.bobbin.scheduler.http.minibox.Minibox;
import dev.bobbin.scheduler.http.registry.Registry;
import dev.bobbin.scheduler.http.v1.V1;
import dev.bobbin.scheduler.tenant.Callers;
import io.helidon.webserver.ListenerConfig;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.HttpService;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/// Serves every API on every listener.
public final class HttpServer implements AutoCloseable {
    /// Frames and lines are gathered up to this many bytes before they are flushed together.
    private static final int WRITE_BUFFER = 16 * 1024;

    private final HttpConfig config;
    private final Callers callers;
    private final List<HttpService> extra;
    private final Disconnects disconnects = new Disconnects();
    private final Takeovers takeovers = new Takeovers();
    private final Patience patience;
    private final Minibox minibox;
    private final List<Dialect> dialects;
    private final List<UnixSocket> unixSockets = new ArrayList<>();
    private final WebServer server;

    /// A server that does not listen yet.
    ///
    /// @param extra services of the operator, asked before the APIs
    /// @throws IllegalArgumentException if another machine could reach a listener and nobody needs a token
    public HttpServer(
            HttpConfig config,
            Dispatcher dispatcher,
            SandboxDirectory sandboxes,
            ImageDirectory images,
            Callers callers,
            List<HttpService> extra) {
        this.config = config;
        this.callers = callers;
        this.extra = List.copyOf(extra);
        this.patience = new Patience(config.stalled());
        this.minibox = new Minibox(
                dispatcher,
                sandboxes,
                images,
                sandboxes.shared(config.sharedPrefixes()),
                callers,
                disconnects,
                takeovers);
        this.dialects = List.of(
                new V1(dispatcher, sandboxes, images, config.defaultImage(), disconnects, takeovers),
                new Agentkernel(dispatcher, images, disconnects),
                minibox,
                new Registry(images));
        config.listen().forEach(this::checkReach);
        this.server = build();
    }

    /// Listens. Unix sockets appear once they can be used, with mode 0600.
    public void start() {
        server.start();
        try {
            for (var socket : unixSockets) {
                socket.publish();
            }
        } catch (IOException e) {
            stop();
            throw new UncheckedIOException("show a Unix socket", e);
        }
    }

    /// The port of the first TCP listener, or -1 if there is none.
    public int port() {
        for (var index = 0; index < config.listen().size(); index++) {
            if (config.listen().get(index) instanceof Listen.Tcp) {
                return server.port(name(index));
            }
        }
        return -1;
    }

    /// Takes no new connections, gives answers on their way the configured grace, and leaves no socket file behind.
    public void stop() {
        minibox.close();
        disconnects.close();
        takeovers.close();
        server.stop();
        patience.close();
        for (var socket : unixSockets) {
            try {
                socket.close();
            } catch (IOException e) {
                System.getLogger(HttpServer.class.getName())
                        .log(System.Logger.Level.WARNING, "remove a Unix socket", e);
            }
        }
    }

    @Override
    public void close() {
        stop();
    }

    private WebServer build() {
        var builder = WebServer.builder();
        for (var index = 0; index < config.listen().size(); index++) {
            var listen = config.listen().get(index);
            if (index == 0) {
                configure(builder, listen);
            } else {
                var listener = ListenerConfig.builder();
                configure(listener, listen);
                builder.putSocket(name(index), listener.name(name(index)).build());
            }
        }
        return builder.shutdownHook(false).featuresDiscoverServices(false).build();
    }

    private void configure(ListenerConfig.BuilderBase<?, ?> listener, Listen listen) {
        var routing = HttpRouting.builder();
        routing.addFeature(new Front(new Doorkeeper(listen, config, callers), patience, dialects, extra));
        switch (listen) {
            case Listen.Tcp tcp -> // small writes must not wait for the client to acknowledge earlier ones
                listener.bindAddress(tcp.address()).connectionOptions(options -> options.tcpNoDelay(true));
            case Listen.Unix unix -> listener.bindAddress(prepared(unix).bindAddress());
        }
        listener.routing(routing)
                .addConnectionSelector(patience)
                .protocolsDiscoverServices(false)
                .directHandlers(Front.unroutable())
                .writeBufferSize(WRITE_BUFFER)
                .shutdownGracePeriod(config.grace());
    }

    private UnixSocket prepared(Listen.Unix unix) {
        try {
            var socket = UnixSocket.prepare(unix.path());
            unixSockets.add(socket);
            return socket;
        } catch (IOException e) {
            throw new UncheckedIOException("listen on " + unix, e);
        }
    }

    private void checkReach(Listen listen) {
        if (listen instanceof Listen.Tcp tcp && !tcp.isLoopback() && !callers.needToken()) {
            throw new IllegalArgumentException("listen: " + tcp
                    + " can be reached from other machines, so a token must exist first; else listen on 127.0.0.1");
        }
    }

    private static String name(int index) {
        return index == 0 ? WebServer.DEFAULT_SOCKET_NAME : "listener-" + index;
    }
}
