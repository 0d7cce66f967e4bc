package dev.bobbin.image.store;

import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;

/// A blob of the store that fails at its end if it is not what its address says.
final class VerifiedStream extends FilterInputStream {
    private final Digest digest;
    private final MessageDigest hasher;
    private final Damaged damaged;
    private boolean ended;

    /// What happens to a blob that turns out to be damaged.
    interface Damaged {
        void remove() throws IOException;
    }

    VerifiedStream(InputStream in, Digest digest, Damaged damaged) {
        super(in);
        this.digest = digest;
        this.hasher = digest.hasher();
        this.damaged = damaged;
    }

    @Override
    public int read() throws IOException {
        var single = new byte[1];
        var read = read(single, 0, 1);
        return read < 0 ? -1 : single[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
        var read = super.read(buffer, offset, length);
        if (read > 0) {
            hasher.update(buffer, offset, read);
        } else if (read < 0 && !ended) {
            ended = true;
            verify();
        }
        return read;
    }

    private void verify() throws IOException {
        var got = Digest.of(digest.algorithm(), hasher);
        if (!got.equals(digest)) {
            damaged.remove();
            throw ImageException.invalid("the store's copy of " + digest + " is damaged, its digest is " + got
                    + "; it was removed: pull or load its image again");
        }
    }

    @Override
    public long skip(long count) throws IOException {
        return readNBytes((int) Math.min(count, 64 * 1024)).length;
    }

    @Override
    public boolean markSupported() {
        return false;
    }
}
