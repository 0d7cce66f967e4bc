package dev.bobbin.image.registry.wire;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;

/// One connection to one checked address; carries one exchange at a time.
final class Connection {
    private static final int BUFFER = 64 << 10;
    /// Fewest bytes in a time of `stall` spent waiting for them; who sends less is trickling.
    private static final long LEAST = 16 << 10;

    private final Socket raw;
    private final Socket socket;
    private final Origin origin;
    private final InputStream in;
    private final OutputStream out;
    private final WireConfig config;
    private final ScheduledExecutorService clock;
    private final Consumer<Connection> pool;

    private boolean keep;
    private boolean answered;
    private long waited;
    private long arrived;

    /// @param raw the plain socket below
    /// @param socket the one to talk through: `raw` itself or TLS over it
    /// @param pool takes the connection back after a whole exchange
    Connection(
            Socket raw,
            Socket socket,
            Origin origin,
            WireConfig config,
            ScheduledExecutorService clock,
            Consumer<Connection> pool)
            throws IOException {
        this.raw = raw;
        this.socket = socket;
        this.origin = origin;
        this.config = config;
        this.clock = clock;
        this.pool = pool;
        this.in = new BufferedInputStream(socket.getInputStream(), BUFFER);
        this.out = new BufferedOutputStream(socket.getOutputStream(), BUFFER);
        socket.setSoTimeout(Math.toIntExact(config.stall().toMillis()));
    }

    Origin origin() {
        return origin;
    }

    InetAddress remote() {
        return raw.getInetAddress();
    }

    /// Whether a byte of an answer came during the present exchange.
    boolean answered() {
        return answered;
    }

    Deadline within(Duration time) {
        return new Deadline(clock, raw, time);
    }

    /// Sends a request and reads the head of its answer.
    Response exchange(Request request) throws IOException {
        keep = false;
        answered = false;
        waited = 0;
        arrived = 0;
        var deadline = within(request.time(config.answer()));
        try (deadline) {
            send(request, deadline);
            deadline.extend(request.time(config.answer()));
            return receive(request);
        } catch (IOException e) {
            close();
            throw deadline.passed() ? new SocketTimeoutException("no answer from " + origin + " in time") : e;
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private void send(Request request, Deadline deadline) throws IOException {
        var head = new StringBuilder(request.method()).append(' ').append(target(request));
        head.append(" HTTP/1.1\r\nHost: ").append(origin.authority()).append("\r\n");
        head.append("User-Agent: bobbin\r\nAccept-Encoding: identity\r\n");
        request.headers()
                .forEach((name, value) ->
                        head.append(name).append(": ").append(value).append("\r\n"));
        var content = request.content();
        if (content != null) {
            head.append("Content-Length: ").append(content.length()).append("\r\n");
        } else if (!request.method().equals("GET") && !request.method().equals("HEAD")) {
            head.append("Content-Length: 0\r\n");
        }
        out.write(head.append("\r\n").toString().getBytes(StandardCharsets.US_ASCII));
        if (content != null) {
            try (var body = content.source().open()) {
                send(body, content.length(), deadline);
            }
        }
        out.flush();
    }

    private static String target(Request request) {
        var uri = request.uri();
        var path = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
        var target = uri.getRawQuery() == null ? path : path + "?" + uri.getRawQuery();
        if (!target.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
            throw new IllegalArgumentException("an address must be escaped: " + request);
        }
        return target;
    }

    private void send(InputStream body, long length, Deadline deadline) throws IOException {
        var buffer = new byte[BUFFER];
        for (var left = length; left > 0; ) {
            deadline.extend(config.stall());
            var got = body.read(buffer, 0, (int) Math.min(buffer.length, left));
            if (got < 0) {
                throw new IOException("the body to send is " + left + " bytes shorter than it should be");
            }
            try {
                out.write(buffer, 0, got);
            } catch (IOException e) {
                if (deadline.passed()) {
                    throw e;
                }
                return; // the server may have answered before it had everything, and its answer says why
            }
            left -= got;
        }
    }

    private Response receive(Request request) throws IOException {
        for (var preliminary = 0; preliminary < 10; preliminary++) {
            var head = ResponseHead.read(this);
            if (head.status() >= 200) {
                keep = head.keepsAlive();
                return new Response(head.status(), head.headers(), body(head, request), this);
            }
            if (head.status() == 101) {
                break;
            }
        }
        throw new IOException(origin + " does not come to an answer");
    }

    private Body body(ResponseHead head, Request request) throws IOException {
        if (request.method().equals("HEAD") || head.status() == 204 || head.status() == 304) {
            return Body.of(this, 0);
        }
        var length = head.length();
        if (head.chunked()) {
            if (length >= 0) {
                throw new IOException(origin + " gives its answer both a length and chunks");
            }
            return Body.chunked(this);
        }
        return length >= 0 ? Body.of(this, length) : Body.untilClose(this);
    }

    /// Reads bytes of a body, and refuses to wait for one that only trickles.
    int read(byte[] bytes, int offset, int count) throws IOException {
        var before = System.nanoTime();
        var got = in.read(bytes, offset, count);
        waited += System.nanoTime() - before;
        arrived += Math.max(0, got);
        if (waited > config.stall().toNanos()) {
            if (arrived < LEAST) {
                throw new SocketTimeoutException(origin + " sends too slowly: " + arrived + " bytes in "
                        + Duration.ofNanos(waited).toMillis() + " ms");
            }
            waited = 0;
            arrived = 0;
        }
        return got;
    }

    /// Reads a line, without its end.
    ///
    /// @param longest in bytes, its end included
    String line(int longest) throws IOException {
        var line = new StringBuilder();
        for (var read = 0; read < longest; read++) {
            var c = in.read();
            if (c < 0) {
                throw new java.io.EOFException(origin + " broke off before its answer was whole");
            }
            answered = true;
            if (c == '\n') {
                var end = line.length() - 1;
                if (end >= 0 && line.charAt(end) == '\r') {
                    line.setLength(end);
                }
                return line.toString();
            }
            line.append((char) c);
        }
        throw new IOException(origin + " sends a line of more than " + longest + " bytes");
    }

    void skipTrailers() throws IOException {
        for (var lines = 0; lines < 100; lines++) {
            if (line(8192).isEmpty()) {
                return;
            }
        }
        throw new IOException(origin + " sends trailers without end");
    }

    /// Ends the present exchange.
    ///
    /// @param whole whether all of the answer was read
    void release(boolean whole) {
        if (whole && keep) {
            pool.accept(this);
        } else {
            close();
        }
    }

    boolean ended() {
        return raw.isClosed();
    }

    void close() {
        try {
            raw.close();
            socket.close();
        } catch (IOException _) {
            // nothing is left to save
        }
    }
}
