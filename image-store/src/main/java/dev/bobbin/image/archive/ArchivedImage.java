package dev.bobbin.image.archive;

import dev.bobbin.image.Descriptor;
import java.util.List;

/// An image in an archive.
///
/// @param names as the archive has them: whole references, or just a tag, or none
/// @param naming what a name without slash and colon is
/// @param manifest points at its manifest, or at an index of several
public record ArchivedImage(List<String> names, Naming naming, Descriptor manifest) {
    public ArchivedImage {
        names = List.copyOf(names);
    }

    /// One whose short names are tags.
    public ArchivedImage(List<String> names, Descriptor manifest) {
        this(names, Naming.TAGS, manifest);
    }

    /// How an archive names its images.
    public enum Naming {
        /// A short name is just a tag.
        TAGS,
        /// A short name is that of a repository.
        WHOLE
    }
}
