package dev.bobbin.scheduler.http.exchange;

import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/// The body of an answer that is sent while it is made. Every failure to write is a [ClientGone], since that is what it
/// means.
public final class Streamed {
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
            opened().write(data, offset, length);
        } catch (IOException | RuntimeException e) {
            throw new ClientGone(e);
        }
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
