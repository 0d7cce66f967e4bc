package dev.bobbin.scheduler.http.exchange;

import io.helidon.common.buffers.DataReader;
import io.helidon.http.HeaderValues;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/// A request's body within a limit.
public final class Body {
    /// What is read and thrown away of a body that nobody wants, so that its sender can read the answer.
    private static final long MOST_DRAINED = 1024 * 1024;

    /// What may follow the last entry of an archive.
    private static final long LONGEST_TAIL = 16L << 20;

    private Body() {}

    /// The whole body. One over the limit is read up to twice the limit before it is refused, since a client that is
    /// still sending would see a reset and not the refusal.
    public static byte[] read(ServerRequest request, int limit) {
        if (!request.content().hasEntity()) {
            return new byte[0];
        }
        if (request.headers().contentLength().orElse(0) > 2L * limit) {
            throw tooLarge(limit);
        }
        var progress = request.context().get(Progress.class);
        progress.ifPresent(each -> each.bodyDue(true));
        try {
            var in = request.content().inputStream();
            var body = in.readNBytes(limit);
            if (body.length < limit || in.read() < 0) {
                return body;
            }
            drain(in, limit);
            throw tooLarge(limit);
        } catch (IOException e) {
            throw new UncheckedIOException("read the body of a request", e);
        } catch (NumberFormatException | DataReader.InsufficientDataAvailableException _) {
            throw Rejected.invalid(null, "the body is cut off or its chunks are malformed");
        } finally {
            progress.ifPresent(each -> each.bodyDue(false));
        }
    }

    /// The body as it comes. Its sender is let go who sends nothing for too long while more of it is waited for; what
    /// is done with it between may take its time.
    public static InputStream awaited(ServerRequest request) {
        var in = request.content().inputStream();
        return request.context()
                .get(Progress.class)
                .<InputStream>map(progress -> new Awaited(in, progress))
                .orElse(in);
    }

    private static final class Awaited extends FilterInputStream {
        private final Progress progress;

        Awaited(InputStream in, Progress progress) {
            super(in);
            this.progress = progress;
        }

        @Override
        public int read() throws IOException {
            progress.bodyDue(true);
            try {
                return super.read();
            } finally {
                progress.bodyDue(false);
            }
        }

        @Override
        public int read(byte[] buffer, int from, int length) throws IOException {
            progress.bodyDue(true);
            try {
                return super.read(buffer, from, length);
            } finally {
                progress.bodyDue(false);
            }
        }
    }

    /// Reads on to the end of a body whose archive has been read, so that the connection stays usable.
    public static void passOver(InputStream in) throws IOException {
        if (!drain(in, LONGEST_TAIL)) {
            throw Rejected.invalid(null, "the body goes on behind the end of the archive");
        }
    }

    /// Readies a connection for an answer that does without the rest of the body: passes over a short rest, and lets
    /// the connection end after the answer if there is more.
    public static void abandon(ServerRequest request, ServerResponse response) {
        var content = request.content();
        if (!content.hasEntity() || content.consumed()) {
            return;
        }
        var awaited = request.headers().contains(HeaderValues.EXPECT_100) && !request.continueSent();
        if (awaited || request.headers().contentLength().orElse(0) > MOST_DRAINED || !drained(request)) {
            response.headers().set(HeaderValues.CONNECTION_CLOSE);
        }
    }

    private static boolean drained(ServerRequest request) {
        var progress = request.context().get(Progress.class);
        progress.ifPresent(each -> each.bodyDue(true));
        try {
            return drain(request.content().inputStream(), MOST_DRAINED);
        } catch (IOException | RuntimeException _) {
            return false;
        } finally {
            progress.ifPresent(each -> each.bodyDue(false));
        }
    }

    private static boolean drain(InputStream in, long most) throws IOException {
        var buffer = new byte[8192];
        for (var left = most; left > 0; ) {
            var length = in.read(buffer);
            if (length < 0) {
                return true;
            }
            left -= length;
        }
        return false;
    }

    private static Rejected tooLarge(int limit) {
        return new Rejected(
                new Problem(413, "too_large", "Request body exceeds the maximum size of " + limit + " bytes"));
    }
}
