package dev.bobbin.image.registry.wire;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLSocket;

/// Makes connections: one look-up, a judgement of every address that it gave, and a connection to one that passed.
/// Nothing between the judgement and the connection knows the name, so no second look-up can give another answer.
final class Connector {
    private final WireConfig config;
    private final Names names;
    private final Trust trust;
    private final ScheduledExecutorService clock;

    Connector(WireConfig config, Names names, Trust trust, ScheduledExecutorService clock) {
        this.config = config;
        this.names = names;
        this.trust = trust;
        this.clock = clock;
    }

    /// Connects to where `request` goes.
    ///
    /// @throws RefusedException if all its addresses are out of reach by rule
    Connection connect(Request request, AddressPolicy.Reach reach, Consumer<Connection> pool) throws IOException {
        var origin = request.origin();
        var time = request.time(config.connect());
        var end = System.nanoTime() + time.toNanos();
        var found = lookUp(origin.host(), time);
        var open = found.stream().filter(reach::permits).toList();
        if (open.isEmpty()) {
            throw new RefusedException("refused to connect to " + origin + ": "
                    + (found.isEmpty() ? "it has no address" : "its addresses are not open to this request"));
        }
        IOException failure = null;
        for (var i = 0; i < open.size(); i++) {
            var left = end - System.nanoTime();
            if (left <= 0) {
                break;
            }
            try {
                return connect(
                        origin, open.get(i), Duration.ofNanos(Math.max(1_000_000, left / (open.size() - i))), pool);
            } catch (IOException e) {
                failure = e;
            }
        }
        throw failure == null ? new SocketTimeoutException("no connection to " + origin + " in time") : failure;
    }

    /// A look-up cannot be interrupted, and must not hold the carrier of a virtual thread: it has a thread of its own.
    private List<InetAddress> lookUp(String host, Duration time) throws IOException {
        var task = new FutureTask<>(() -> names.addresses(host));
        Thread.ofPlatform().daemon().name("look-up of " + host).start(task);
        try {
            return task.get(time.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new SocketTimeoutException("no answer in time to the question where " + host + " is");
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UnknownHostException) {
                throw new UnknownHostException("no such host: " + host);
            }
            throw new IOException("look up " + host, e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new java.io.InterruptedIOException("interrupted while looking up " + host);
        }
    }

    private Connection connect(Origin origin, InetAddress address, Duration time, Consumer<Connection> pool)
            throws IOException {
        var raw = new Socket(Proxy.NO_PROXY);
        var deadline = new Deadline(clock, raw, time);
        try (deadline) {
            raw.setOption(StandardSocketOptions.TCP_NODELAY, true);
            raw.connect(new InetSocketAddress(address, origin.port()), Math.toIntExact(time.toMillis()));
            var socket = origin.tls() ? secure(raw, origin) : raw;
            return new Connection(raw, socket, origin, config, clock, pool);
        } catch (IOException e) {
            raw.close();
            throw deadline.passed() ? new SocketTimeoutException("no connection to " + origin + " in time") : e;
        } catch (RuntimeException e) {
            raw.close();
            throw e;
        }
    }

    /// TLS over a connected socket. The certificate must be for the name, whatever the address.
    private SSLSocket secure(Socket raw, Origin origin) throws IOException {
        var socket = (SSLSocket)
                trust.context(origin).getSocketFactory().createSocket(raw, origin.host(), origin.port(), true);
        var parameters = socket.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        parameters.setApplicationProtocols(new String[] {"http/1.1"});
        if (!origin.literal()) {
            var name = origin.host();
            parameters.setServerNames(
                    List.of(new SNIHostName(name.endsWith(".") ? name.substring(0, name.length() - 1) : name)));
        }
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        return socket;
    }
}
