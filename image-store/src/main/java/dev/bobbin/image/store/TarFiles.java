package dev.bobbin.image.store;

import dev.bobbin.image.TarFile;
import dev.bobbin.image.archive.ExtractionLimits;
import dev.bobbin.image.archive.TarEntries;
import java.io.IOException;
import java.io.InputStream;

/// Reads tar archives for whoever puts their files somewhere else than an image.
public final class TarFiles {
    private TarFiles() {}

    /// Tells `sink` of each file of an archive, plain or compressed.
    ///
    /// @throws dev.bobbin.image.ImageException if it is damaged or a bomb
    public static void read(InputStream tar, TarFile.Sink sink) throws IOException {
        TarEntries.read(tar, ExtractionLimits.DEFAULT, sink);
    }
}
