package dev.bobbin.image.archive;

import java.util.List;

/// What the headers of a tar archive say of one file.
///
/// @param name as written, one character a byte
/// @param link target of a link, else empty
/// @param size of the file, holes included
/// @param segments where its content goes, in order; empty if it has none
/// @param attributes extended attributes
record TarEntry(
        String name,
        String link,
        Kind kind,
        int permissions,
        long uid,
        long gid,
        Status.Time modified,
        int major,
        int minor,
        long size,
        List<Segment> segments,
        List<Attribute> attributes) {

    enum Kind {
        FILE,
        HARD_LINK,
        SYMBOLIC_LINK,
        CHARACTER_DEVICE,
        BLOCK_DEVICE,
        DIRECTORY,
        FIFO
    }

    /// A run of bytes of a file that is not a hole.
    record Segment(long at, long length) {}

    /// An extended attribute; the value too has one character a byte.
    record Attribute(String name, String value) {}
}
