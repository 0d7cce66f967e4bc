package dev.bobbin.image;

import java.io.IOException;
import java.io.InputStream;

/// Where content goes. An input stream is read to its end and not closed. Safe for use by many threads.
public interface BlobSink {
    /// Keeps the content of `expected`, after checking its size and digest.
    ///
    /// @throws ImageException INVALID if it is other content, then nothing is kept; DISK_FULL
    /// @throws IOException if `in` fails
    Descriptor put(Descriptor expected, InputStream in) throws IOException;

    /// Keeps content whose address is not known before, under its SHA-256.
    ///
    /// @param limit the most bytes to take; more are INVALID
    Descriptor put(String mediaType, InputStream in, long limit) throws IOException;
}
