package dev.bobbin.scheduler.http.exchange;

import io.helidon.common.buffers.BufferData;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// The body of an answer that is sent while it is made, always in chunks: no length may be announced. Every failure to
/// write is a [ClientGone], since that is what it means.
public final class Streamed {
    /// What is at least so long goes past Helidon's stream, which would copy it into a buffer of its own first: of all
    /// that a
    /// gigabyte costs the server that is a fifth.
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
                opened().flush();
                writeChunk(data, offset, length);
            }
        } catch (IOException | RuntimeException e) {
            throw new ClientGone(e);
        }
    }

    /// A chunk of RFC 9112, section 7.1. What has no announced length is sent in chunks by Helidon too.
    private void writeChunk(byte[] data, int offset, int length) {
        var size = (Integer.toHexString(length) + "\r\n").getBytes(StandardCharsets.US_ASCII);
        connection
                .writer()
                .writeNow(
                        BufferData.create(size), BufferData.create(data, offset, length), BufferData.create(LINE_END));
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
