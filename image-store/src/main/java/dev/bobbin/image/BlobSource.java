package dev.bobbin.image;

import java.io.IOException;
import java.io.InputStream;

/// Where content comes from, by its address. Safe for use by many threads.
public interface BlobSource {
    /// The content; reading it to the end checks its digest and fails with INVALID if it is damaged.
    ///
    /// @throws ImageException NOT_FOUND if it is not there
    InputStream open(Digest digest) throws IOException;

    /// Its size in bytes.
    ///
    /// @throws ImageException NOT_FOUND if it is not there
    long size(Digest digest) throws IOException;
}
