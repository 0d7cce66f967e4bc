package dev.bobbin.image.registry.wire;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// An answer whose body is still on the wire. Closing it gives the connection back, or ends it if bytes are left.
public final class Response implements AutoCloseable {
    /// How much of a body nobody wants is read to keep the connection.
    private static final int DRAINED = 16 << 10;

    private final int status;
    private final Headers headers;
    private final Body body;
    private final Connection connection;

    Response(int status, Headers headers, Body body, Connection connection) {
        this.status = status;
        this.headers = headers;
        this.body = body;
        this.connection = connection;
    }

    public int status() {
        return status;
    }

    public boolean successful() {
        return status >= 200 && status < 300;
    }

    public Headers headers() {
        return headers;
    }

    /// How long the body will be, or -1 if the server did not say.
    public long length() {
        return body.length();
    }

    /// The address that answered.
    public InetAddress remote() {
        return connection.remote();
    }

    /// Who answered.
    public Origin origin() {
        return connection.origin();
    }

    /// The body. A server that stalls, trickles or breaks off shows as an exception, never as the end.
    public InputStream body() {
        return body;
    }

    /// Whether the body came to the end that the server gave it, rather than breaking off.
    public boolean complete() {
        return body.whole();
    }

    /// The whole body.
    ///
    /// @param limit longest body taken
    /// @param within time for all of it
    /// @return nothing if it is longer
    public byte @Nullable [] bytes(int limit, Duration within) throws IOException {
        if (body.length() > limit) {
            return null;
        }
        try (var _ = connection.within(within)) {
            var bytes = body.readNBytes(limit + 1);
            return bytes.length > limit ? null : bytes;
        }
    }

    @Override
    public void close() {
        if (body.whole()) {
            return; // the connection may carry another exchange already
        }
        try (var _ = connection.within(Duration.ofSeconds(1))) {
            if (body.length() <= DRAINED) {
                body.readNBytes(DRAINED);
            }
        } catch (IOException _) {
            // the connection ends instead of being kept
        }
        body.close();
    }
}
