package dev.bobbin.image.archive;

import dev.bobbin.image.ArchiveFormat;
import dev.bobbin.image.BlobSink;
import dev.bobbin.image.BlobSource;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;

/// Images as one file: an OCI image layout in a tar, or a Docker archive.
public final class ImageArchive {
    private ImageArchive() {}

    /// Reads an archive of either kind, compressed or not, to its end; content goes to `sink` as it comes. Layers of a
    /// Docker archive stay as they are, uncompressed as a rule, and the image gets a manifest of our own.
    ///
    /// @throws dev.bobbin.image.ImageException INVALID if something is missing or not what its name promises;
    ///     UNSUPPORTED for archives of Docker before 1.10
    public static List<ArchivedImage> read(InputStream in, BlobSink sink, ExtractionLimits limits) throws IOException {
        var plain = new BoundedStream(Compression.open(in, limits), limits);
        return new ArchiveReader(plain, sink, limits).read();
    }

    /// Writes images with all their content; `out` is not closed. The same images give the same bytes.
    ///
    /// @throws dev.bobbin.image.ImageException NOT_FOUND if `blobs` lacks something; UNSUPPORTED for an index in
    ///     Docker's format
    public static void write(OutputStream out, ArchiveFormat format, List<ArchivedImage> images, BlobSource blobs)
            throws IOException {
        new ArchiveWriter(out, blobs).write(format, images);
    }
}
