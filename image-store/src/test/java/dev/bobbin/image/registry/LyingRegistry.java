package dev.bobbin.image.registry;

import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/// A server that answers with whatever bytes a test wants, and remembers who came and what was shown to it.
public final class LyingRegistry implements AutoCloseable {
    /// Bodies that are sent to paths that begin like this are not read.
    public static final String DEAF = "/deaf";

    private final ServerSocket server;
    private final List<Rule> rules = new CopyOnWriteArrayList<>();
    private final List<Seen> seen = new CopyOnWriteArrayList<>();
    private final AtomicInteger connections = new AtomicInteger();
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();

    /// @param tls speaks TLS as this if not null
    public LyingRegistry(String address, int port, @Nullable SSLContext tls) throws IOException {
        this.server =
                tls == null ? new ServerSocket() : tls.getServerSocketFactory().createServerSocket();
        server.setReuseAddress(true);
        server.bind(new InetSocketAddress(InetAddress.ofLiteral(address), port));
        Thread.ofPlatform().daemon().start(this::accept);
    }

    public static LyingRegistry at(String address) throws IOException {
        return new LyingRegistry(address, 0, null);
    }

    public int port() {
        return server.getLocalPort();
    }

    public int connections() {
        return connections.get();
    }

    public List<Seen> seen() {
        return List.copyOf(seen);
    }

    /// All values of a header that were ever shown.
    public List<String> shown(String header) {
        return seen.stream()
                .filter(one -> one.headers().containsKey(header))
                .map(one -> String.valueOf(one.headers().get(header)))
                .toList();
    }

    public long count(String method, String part) {
        return seen.stream()
                .filter(one -> one.method().equals(method) && one.target().contains(part))
                .count();
    }

    /// The newest rule that fits counts.
    public LyingRegistry on(String part, Answer answer) {
        rules.addFirst(new Rule(part, answer));
        return this;
    }

    /// Serves a whole image under `repository`, honestly.
    public LyingRegistry serve(String repository, String tag, SmallImage image) {
        on(repository + "/manifests/" + tag, fixed(200, image.manifest()));
        on(repository + "/manifests/" + image.manifest().descriptor().digest(), fixed(200, image.manifest()));
        image.blobs().forEach((digest, bytes) -> on(repository + "/blobs/" + digest, ranged(bytes)));
        return this;
    }

    public static Answer fixed(int status, Resolved.Document document) {
        return fixed(
                status,
                document.bytes(),
                "Content-Type: " + document.descriptor().mediaType());
    }

    public static Answer fixed(int status, byte[] body, String... headers) {
        return (_, out) -> {
            out.write(head(status, body.length, headers));
            out.write(body);
        };
    }

    public static Answer status(int status, String... headers) {
        return fixed(status, new byte[0], headers);
    }

    /// Content by ranges, as an honest registry gives it.
    public static Answer ranged(byte[] body) {
        return (asked, out) -> {
            var range = asked.headers().get("range");
            if (range == null) {
                out.write(head(200, body.length, "Accept-Ranges: bytes"));
                out.write(body);
                return;
            }
            var from = Integer.parseInt(range.substring(6, range.indexOf('-')));
            out.write(head(
                    206,
                    body.length - from,
                    "Content-Range: bytes " + from + "-" + (body.length - 1) + "/" + body.length));
            out.write(body, from, body.length - from);
        };
    }

    public static byte[] head(int status, long length, String... headers) {
        var head = new StringBuilder("HTTP/1.1 " + status + " Whatever\r\nContent-Length: " + length + "\r\n");
        for (var header : headers) {
            head.append(header).append("\r\n");
        }
        return head.append("\r\n").toString().getBytes(StandardCharsets.US_ASCII);
    }

    public static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    public static Descriptor described(String mediaType, byte[] bytes) {
        return new Descriptor(mediaType, Digest.sha256(bytes), bytes.length);
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                var socket = server.accept();
                connections.incrementAndGet();
                open.add(socket);
                Thread.ofPlatform().daemon().start(() -> talk(socket));
            } catch (IOException _) {
                return;
            }
        }
    }

    private void talk(Socket socket) {
        try (socket) {
            var in = new BufferedInputStream(socket.getInputStream());
            var out = new BufferedOutputStream(socket.getOutputStream(), 64 << 10);
            for (var asked = read(in); asked != null; asked = read(in)) {
                seen.add(asked);
                answer(asked).to(asked, out);
                out.flush();
            }
        } catch (IOException _) {
            // the client went, or the test wants the connection to break
        } finally {
            open.remove(socket);
        }
    }

    private Answer answer(Seen asked) {
        return rules.stream()
                .filter(rule -> asked.target().contains(rule.part))
                .map(Rule::answer)
                .findFirst()
                .orElse(status(404));
    }

    private static @Nullable Seen read(InputStream in) throws IOException {
        var start = line(in);
        if (start == null) {
            return null;
        }
        var parts = start.split(" ", -1);
        if (parts.length != 3) {
            throw new IOException("no HTTP");
        }
        var headers = new TreeMap<String, String>();
        for (var line = line(in); line != null && !line.isEmpty(); line = line(in)) {
            var colon = line.indexOf(':');
            headers.put(
                    line.substring(0, colon).toLowerCase(Locale.ROOT),
                    line.substring(colon + 1).strip());
        }
        if (parts[1].startsWith(DEAF)) {
            LockSupport.parkNanos(Duration.ofSeconds(20).toNanos());
        }
        var body = in.readNBytes(Integer.parseInt(headers.getOrDefault("content-length", "0")));
        return new Seen(parts[0], parts[1], headers, new String(body, StandardCharsets.ISO_8859_1));
    }

    private static @Nullable String line(InputStream in) throws IOException {
        var line = new StringBuilder();
        for (var c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                return null;
            }
            line.append((char) c);
        }
        return line.toString().strip();
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (var socket : new ArrayList<>(open)) {
            socket.close();
        }
    }

    /// What was asked. Header names are in lower case.
    public record Seen(String method, String target, Map<String, String> headers, String body) {}

    /// Writes a whole answer, from the status line on; an exception breaks the connection.
    @FunctionalInterface
    public interface Answer {
        void to(Seen asked, OutputStream out) throws IOException;
    }

    private record Rule(String part, Answer answer) {}
}
