package dev.bobbin.scheduler.http;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/// A client that sees every byte of HTTP/1.1: heads, chunks as they come, trailers.
public final class RawClient implements AutoCloseable {
    public final Socket socket;
    private final InputStream in;

    public RawClient(int port) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(20_000);
        in = new DataInputStream(socket.getInputStream());
    }

    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Answer(int status, Map<String, String> headers, byte[] body, Map<String, String> trailers) {
        public String text() {
            return new String(body, StandardCharsets.UTF_8);
        }
    }

    public void send(String request) throws IOException {
        socket.getOutputStream().write(request.getBytes(StandardCharsets.UTF_8));
        socket.getOutputStream().flush();
    }

    public Answer exchange(String request) throws IOException {
        send(request);
        return answer();
    }

    public Answer answer() throws IOException {
        var status = Integer.parseInt(line().split(" ", 3)[1]);
        var headers = headers();
        var rest = body(headers);
        return new Answer(status, headers, rest.data(), rest.trailers());
    }

    /// What comes behind the head of an answer.
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Rest(byte[] data, Map<String, String> trailers) {
        public String text() {
            return new String(data, StandardCharsets.UTF_8);
        }
    }

    /// The rest of an answer whose headers were read.
    public Rest body(Map<String, String> headers) throws IOException {
        if ("chunked".equals(headers.get("transfer-encoding"))) {
            var body = new ByteArrayOutputStream();
            for (var chunk = chunk(); chunk.length > 0; chunk = chunk()) {
                body.writeBytes(chunk);
            }
            return new Rest(body.toByteArray(), headers());
        }
        var length = Integer.parseInt(headers.getOrDefault("content-length", "0"));
        return new Rest(in.readNBytes(length), Map.of());
    }

    /// The next chunk, empty at the end; its head must have been read.
    public byte[] chunk() throws IOException {
        var length = Integer.parseInt(line(), 16);
        var data = in.readNBytes(length);
        if (length > 0 && !line().isEmpty()) {
            throw new IOException("a chunk does not end where it says");
        }
        return data;
    }

    public Map<String, String> headers() throws IOException {
        var headers = new LinkedHashMap<String, String>();
        for (var line = line(); !line.isEmpty(); line = line()) {
            var colon = line.indexOf(':');
            headers.put(
                    line.substring(0, colon).toLowerCase(Locale.ROOT),
                    line.substring(colon + 1).strip());
        }
        return headers;
    }

    public String line() throws IOException {
        var line = new ByteArrayOutputStream();
        for (var next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                throw new EOFException("the connection ended after \"" + line + "\"");
            }
            line.write(next);
        }
        return line.toString(StandardCharsets.UTF_8).stripTrailing();
    }

    public boolean isClosedByServer() throws IOException {
        try {
            return in.read() < 0;
        } catch (java.net.SocketException _) {
            return true;
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
