package dev.bobbin.ops.cli;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// One HTTP/1.1 connection to a server on a Unix socket. An answer must be read to its end before the next request.
/// [#close] may be called by any thread and ends a read that waits.
final class HttpConnection implements AutoCloseable {
    private static final int LONGEST_LINE = 64 * 1024;
    private static final int CHUNK = 64 * 1024;
    private static final byte[] END_OF_LINE = {'\r', '\n'};

    private final SocketChannel channel;
    private final ByteBuffer in = ByteBuffer.allocateDirect(64 * 1024).flip();

    /// What the server answered.
    ///
    /// @param headers by lower-case name
    /// @param body until the end of this answer; read as it comes
    record Answer(int status, Map<String, String> headers, InputStream body) {
        Optional<String> header(String name) {
            return Optional.ofNullable(headers.get(name));
        }

        String text() throws IOException {
            return new String(body.readAllBytes(), StandardCharsets.UTF_8);
        }

        /// This answer, if the server did what it was asked.
        ///
        /// @throws RefusedException with its reason, if it did not
        Answer accepted() throws IOException {
            if (status < 300) {
                return this;
            }
            var reason = text();
            try {
                throw new RefusedException(String.valueOf(Json.object(reason).get("detail")));
            } catch (IllegalArgumentException _) {
                throw new RefusedException(reason.isBlank() ? "the server refused without a reason" : reason.strip());
            }
        }
    }

    private HttpConnection(SocketChannel channel) {
        this.channel = channel;
    }

    static HttpConnection connect(Path socket) throws IOException {
        var channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
            return new HttpConnection(channel);
        } catch (IOException failed) {
            channel.close();
            throw failed;
        }
    }

    Answer post(String path, String contentType, String accept, byte[] body) throws IOException {
        return send("POST", path, contentType, accept, body);
    }

    Answer send(String method, String path, String contentType, String accept, byte[] body) throws IOException {
        var head = head(method, path, accept) + "Content-Type: " + contentType + "\r\nContent-Length: " + body.length
                + "\r\n\r\n";
        write(ByteBuffer.wrap(head.getBytes(StandardCharsets.UTF_8)), ByteBuffer.wrap(body));
        return answer();
    }

    /// A request without a body.
    Answer ask(String method, String path, String accept) throws IOException {
        write(ByteBuffer.wrap((head(method, path, accept) + "\r\n").getBytes(StandardCharsets.UTF_8)));
        return answer();
    }

    /// Asks for the connection itself: an answer of status 101 has as its body what the server sends from then on, and
    /// [#write] sends to it.
    Answer upgrade(String method, String path, byte[] body) throws IOException {
        var head = head(method, path, "application/json") + "Connection: Upgrade\r\nUpgrade: tcp\r\n"
                + (body.length == 0 ? "" : "Content-Type: application/json\r\nContent-Length: " + body.length + "\r\n");
        write(ByteBuffer.wrap((head + "\r\n").getBytes(StandardCharsets.UTF_8)), ByteBuffer.wrap(body));
        return answer();
    }

    void write(byte[] bytes) throws IOException {
        write(ByteBuffer.wrap(bytes));
    }

    /// Posts a body as long as it comes. A server that refuses before it has read everything is heard all the same.
    Answer post(String path, String contentType, String accept, InputStream body) throws IOException {
        return post(path, contentType, accept, List.of(), body);
    }

    /// The same, with further headers, each as it is sent.
    Answer post(String path, String contentType, String accept, List<String> headers, InputStream body)
            throws IOException {
        var further = new StringBuilder();
        headers.forEach(header -> further.append(header).append("\r\n"));
        var head = head("POST", path, accept) + further + "Content-Type: " + contentType
                + "\r\nTransfer-Encoding: chunked\r\n\r\n";
        write(ByteBuffer.wrap(head.getBytes(StandardCharsets.UTF_8)));
        var buffer = new byte[CHUNK];
        for (var count = body.read(buffer); count >= 0; count = body.read(buffer)) {
            try {
                write(
                        ByteBuffer.wrap((Integer.toHexString(count) + "\r\n").getBytes(StandardCharsets.US_ASCII)),
                        ByteBuffer.wrap(buffer, 0, count),
                        ByteBuffer.wrap(END_OF_LINE));
            } catch (IOException _) {
                return answer();
            }
        }
        write(ByteBuffer.wrap("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII)));
        return answer();
    }

    private static String head(String method, String path, String accept) {
        return method + " " + path + " HTTP/1.1\r\nHost: unix\r\nAccept: " + accept + "\r\n";
    }

    private Answer answer() throws IOException {
        var status = statusOf(line());
        var headers = new TreeMap<String, String>();
        for (var header = line(); !header.isEmpty(); header = line()) {
            var colon = header.indexOf(':');
            headers.put(
                    header.substring(0, Math.max(0, colon)).strip().toLowerCase(Locale.ROOT),
                    header.substring(colon + 1).strip());
        }
        return new Answer(status, headers, body(status, headers));
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private void write(ByteBuffer... parts) throws IOException {
        while (Arrays.stream(parts).anyMatch(ByteBuffer::hasRemaining)) {
            channel.write(parts);
        }
    }

    private static int statusOf(String line) throws IOException {
        if (!line.startsWith("HTTP/1.1 ") || line.length() < 12) {
            throw new IOException("not an HTTP answer: " + line);
        }
        return Integer.parseInt(line.substring(9, 12));
    }

    private InputStream body(int status, Map<String, String> headers) {
        if (status == 204 || status == 304) {
            return new Body(0, false);
        }
        if (headers.getOrDefault("transfer-encoding", "").equalsIgnoreCase("chunked")) {
            return new Body(0, true);
        }
        var length = headers.get("content-length");
        return new Body(length == null ? Long.MAX_VALUE : Long.parseLong(length), false);
    }

    private String line() throws IOException {
        var text = new StringBuilder();
        for (var letter = octet(); letter != '\n'; letter = octet()) {
            if (text.length() > LONGEST_LINE) {
                throw new IOException("a header of the answer is too long");
            }
            if (letter != '\r') {
                text.append((char) letter);
            }
        }
        return text.toString();
    }

    private int octet() throws IOException {
        if (!fill()) {
            throw new EOFException("the server closed the connection");
        }
        return in.get() & 0xff;
    }

    private boolean fill() throws IOException {
        if (in.hasRemaining()) {
            return true;
        }
        in.clear();
        try {
            return channel.read(in) > 0;
        } finally {
            in.flip();
        }
    }

    /// The bytes of one answer: of known length, in chunks, or until the connection ends.
    private final class Body extends InputStream {
        private final boolean chunked;
        private long left;
        private boolean begun;
        private boolean ended;

        Body(long left, boolean chunked) {
            this.left = left;
            this.chunked = chunked;
        }

        @Override
        public int read() throws IOException {
            var one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            if (chunked && left == 0 && !ended) {
                nextChunk();
            }
            if (ended || left == 0) {
                return -1;
            }
            if (!fill()) {
                if (left == Long.MAX_VALUE) {
                    return -1;
                }
                throw new EOFException("the server closed the connection in the middle of an answer");
            }
            var taken = (int) Math.min(Math.min(length, in.remaining()), left);
            in.get(target, offset, taken);
            left -= left == Long.MAX_VALUE ? 0 : taken;
            return taken;
        }

        private void nextChunk() throws IOException {
            if (begun) {
                line();
            }
            begun = true;
            var size = line();
            var extension = size.indexOf(';');
            left = Long.parseLong((extension < 0 ? size : size.substring(0, extension)).strip(), 16);
            if (left == 0) {
                ended = true;
                for (var trailer = line(); !trailer.isEmpty(); trailer = line()) {
                    // what a trailer says came in the answer's last frame too
                }
            }
        }
    }
}
