package dev.bobbin.image.archive;

import dev.bobbin.image.Descriptor;
import java.util.List;

/// An image in an archive.
///
/// @param names as the archive has them: whole references, or just a tag, or none
/// @param manifest points at its manifest, or at an index of several
public record ArchivedImage(List<String> names, Descriptor manifest) {
    public ArchivedImage {
        names = List.copyOf(names);
    }
}
