package dev.bobbin.scheduler.http.v1;

import dev.bobbin.image.Digest;
import io.helidon.common.buffers.DataReader;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A body whose bytes are known by their digest, if it is wanted, once it is read. One that is cut off is an
/// [IOException].
final class HashedBody extends FilterInputStream {
    private static final int SKIPPED_AT_ONCE = 64 * 1024;

    private final @Nullable MessageDigest hasher;

    /// @param wanted whether anybody will ask for its digest
    HashedBody(InputStream body, boolean wanted) {
        super(body);
        hasher = wanted ? Digest.hasher("sha256") : null;
    }

    @Override
    public int read() throws IOException {
        var one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int from, int length) throws IOException {
        try {
            var read = super.read(buffer, from, length);
            if (hasher != null) {
                hasher.update(buffer, from, Math.max(0, read));
            }
            return read;
        } catch (NumberFormatException | DataReader.InsufficientDataAvailableException e) {
            throw new IOException("the body is cut off or its chunks are malformed", e);
        }
    }

    @Override
    public long skip(long count) throws IOException {
        return readNBytes((int) Math.min(count, SKIPPED_AT_ONCE)).length;
    }

    @Override
    public boolean markSupported() {
        return false;
    }

    Digest digest() {
        return Digest.of("sha256", Objects.requireNonNull(hasher, "no digest was wanted"));
    }
}
