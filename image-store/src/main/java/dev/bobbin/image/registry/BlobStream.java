package dev.bobbin.image.registry;

import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.registry.wire.Response;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The bytes of a blob as they come, over as many connections as it takes. Whoever has read its last byte has content
/// of exactly the promised size and digest: both are checked before that byte is handed out.
final class BlobStream extends InputStream {
    private static final long PROGRESS = 1 << 20;

    private final Descriptor descriptor;
    private final MessageDigest hasher;
    private final Opener opener;
    private final Retry retry;

    private @Nullable Opened opened;
    private long at;
    private long mark;
    private boolean verified;
    private boolean closed;

    /// @param hasher fed with the `from` bytes that the caller has
    BlobStream(Descriptor descriptor, long from, MessageDigest hasher, Opener opener, Retry retry) {
        this.descriptor = descriptor;
        this.at = from;
        this.mark = from;
        this.hasher = hasher;
        this.opener = opener;
        this.retry = retry;
    }

    /// Opens the connection, so that a blob nobody has fails here and not at the first byte.
    BlobStream begin() {
        if (at < descriptor.size()) {
            opened = opener.open(at);
        } else {
            verify();
        }
        return this;
    }

    @Override
    public int read() throws IOException {
        var one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int count) throws IOException {
        Objects.checkFromIndexSize(offset, count, bytes.length);
        if (closed) {
            throw new IOException("the blob was closed");
        }
        if (verified) {
            return -1;
        }
        if (count == 0) {
            return 0;
        }
        while (true) {
            var source = opened == null ? opener.open(at) : opened;
            opened = source;
            try {
                var got = source.response().body().read(bytes, offset, (int) Math.min(count, descriptor.size() - at));
                if (got < 0) {
                    throw tooShort(source.response());
                }
                return took(bytes, offset, got, source);
            } catch (IOException e) {
                interrupted(e);
            }
        }
    }

    private int took(byte[] bytes, int offset, int got, Opened source) {
        hasher.update(bytes, offset, got);
        at += got;
        if (at - mark >= PROGRESS) {
            mark = at;
            retry.progressed();
        }
        if (at == descriptor.size()) {
            if (goesOn(source.response())) {
                throw ImageException.wrongSize(descriptor.digest(), descriptor.size(), "more");
            }
            verify();
        }
        return got;
    }

    /// Whether there is more than was promised. An answer of known length was measured when it was opened.
    private static boolean goesOn(Response response) {
        try {
            return response.length() < 0 && response.body().read() >= 0;
        } catch (IOException e) {
            return false; // all that was promised is here, and nothing shows that there is more
        }
    }

    /// An answer that is whole and too short is a lie; one that broke off is bad luck.
    private IOException tooShort(Response response) {
        if (response.complete()) {
            throw ImageException.wrongSize(descriptor.digest(), descriptor.size(), Long.toString(at));
        }
        return new EOFException("the answer broke off");
    }

    private void interrupted(IOException failure) {
        release();
        if (!retry.again(Optional.empty())) {
            throw opener.failed(failure);
        }
    }

    private void verify() {
        release();
        var got = Digest.of(descriptor.digest().algorithm(), hasher);
        if (!got.equals(descriptor.digest())) {
            closed = true;
            throw ImageException.wrongDigest(descriptor.digest(), got);
        }
        verified = true;
    }

    private void release() {
        var source = opened;
        opened = null;
        if (source != null) {
            source.close();
        }
    }

    @Override
    public void close() {
        closed = true;
        release();
    }

    /// Finds the rest of the blob.
    interface Opener {
        /// An answer whose body begins at `from`.
        Opened open(long from);

        /// What to throw after the last failure.
        RuntimeException failed(IOException failure);
    }

    /// An answer, and the place it takes among those under way.
    record Opened(Response response, Runnable place) implements AutoCloseable {
        @Override
        public void close() {
            response.close();
            place.run();
        }
    }
}
