package dev.bobbin.scheduler.http.exchange;

import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// The body of an answer that is sent while it is made, always in chunks: no length may be announced. Every failure to
/// write is a [ClientGone], since that is what it means.
public final class Streamed {
    /// What is at least so long goes past Helidon's stream and its socket, which would copy it into buffers of their
    /// own and send it in pieces of 8 KiB.
    private static final int LONG = 16 * 1024;

    private static final byte[] LINE_END = {'\r', '\n'};

    private final ServerResponse response;
    private final Connection connection;
    private @Nullable OutputStream out;

    public Streamed(ServerResponse response) {
        this.response = response;
        this.connection = Connection.of(response);
    }

    /// Whoever should read the answer is not there any more.
    public static final class ClientGone extends IOException {
        ClientGone(Throwable cause) {
            super("the client has gone", cause);
        }

        public ClientGone(String how) {
            super("the client has gone: " + how);
        }
    }

    /// Sends the head of the answer, unless it was sent.
    public void open() throws ClientGone {
        if (out != null) {
            return;
        }
        try {
            out = response.outputStream();
            connection.flushHead();
        } catch (RuntimeException e) {
            throw new ClientGone(e);
        }
    }

    public void write(byte[] data, int offset, int length) throws ClientGone {
        if (length == 0) {
            return;
        }
        try {
            if (length < LONG) {
                opened().write(data, offset, length);
            } else {
                writeChunk(ByteBuffer.wrap(data, offset, length));
            }
        } catch (IOException | RuntimeException e) {
            throw new ClientGone(e);
        }
    }

    /// Sends what is between the position of `data` and its limit, and leaves both where they are.
    public void write(ByteBuffer data) throws ClientGone {
        if (data.remaining() < LONG) {
            var bytes = new byte[data.remaining()];
            data.get(data.position(), bytes);
            write(bytes, 0, bytes.length);
            return;
        }
        try {
            writeChunk(data.duplicate());
        } catch (IOException | RuntimeException e) {
            throw new ClientGone(e);
        }
    }

    /// A chunk of RFC 9112, section 7.1. What has no announced length is sent in chunks by Helidon too.
    private void writeChunk(ByteBuffer data) throws IOException {
        opened().flush();
        var size = (Integer.toHexString(data.remaining()) + "\r\n").getBytes(StandardCharsets.US_ASCII);
        connection.send(ByteBuffer.wrap(size), data, ByteBuffer.wrap(LINE_END));
    }

    public void flush() throws ClientGone {
        try {
            opened().flush();
        } catch (IOException | RuntimeException e) {
            throw new ClientGone(e);
        }
    }

    /// Ends the body; Helidon sends its last chunk and the trailers once the handler is done.
    public void finish() throws ClientGone {
        flush();
        try {
            opened().close();
        } catch (IOException | UncheckedIOException e) {
            throw new ClientGone(e);
        }
    }

    private OutputStream opened() throws ClientGone {
        open();
        if (out == null) {
            throw new IllegalStateException("not open");
        }
        return out;
    }
}
