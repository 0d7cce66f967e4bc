package dev.bobbin.image.store;

import dev.bobbin.image.ArchiveFormat;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;

/// Images in files.
final class Archives {
    Archives(Blobs blobs, Newcomers newcomers, Index index, Pins pins) {}

    List<Image> load(String owner, InputStream archive) {
        throw new ImageException(ImageProblem.UNSUPPORTED, "not yet");
    }

    void save(List<Entry> entries, ArchiveFormat format, OutputStream out) {
        throw new ImageException(ImageProblem.UNSUPPORTED, "not yet");
    }
}
