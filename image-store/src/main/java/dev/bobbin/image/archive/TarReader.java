package dev.bobbin.image.archive;

import static dev.bobbin.image.ImageException.invalid;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads a tar archive from first to last entry, holding one header at a time. Global extended headers are passed
/// over, as all engines do.
///
/* Two parsers that disagree about where an entry ends see two different archives, so this follows Go's reader: sizes
 * of PAX records go before those of the header, links and devices have no content whatever their size says, GNU long
 * names go before PAX paths, the last of several extended headers counts. */
final class TarReader {
    private static final int LONGEST_EXTENSION = 1024 * 1024;

    private final InputStream in;
    private long remaining;
    private long padding;
    private boolean ended;

    TarReader(InputStream in) {
        this.in = in;
    }

    /// The next entry, nothing at the end; passes over what was not read of the last one.
    @Nullable
    TarEntry next() throws IOException {
        var records = PaxRecords.NONE;
        var longName = "";
        var longLink = "";
        while (true) {
            skipRest();
            var block = headerBlock();
            if (block == null) {
                return null;
            }
            var header = TarHeader.of(block);
            switch (header.type()) {
                case 'x' -> records = PaxRecords.parse(extension(header));
                case 'g' -> begin(header.size());
                case 'L' -> longName = longText(header);
                case 'K' -> longLink = longText(header);
                default -> {
                    var name = longName.isEmpty() ? records.value("path", header.name()) : longName;
                    var link = longLink.isEmpty() ? records.value("linkpath", header.link()) : longLink;
                    return entry(header, records, name, link);
                }
            }
        }
    }

    /// Reads content of the entry; at most as much as is left of it.
    int read(byte[] buffer, int from, int length) throws IOException {
        var wanted = (int) Math.min(length, remaining);
        if (wanted == 0) {
            return -1;
        }
        var read = in.read(buffer, from, wanted);
        if (read < 0) {
            throw truncated();
        }
        remaining -= read;
        return read;
    }

    /// The content of the entry that [#next()] returned, as a stream.
    InputStream content() {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                var one = new byte[1];
                return TarReader.this.read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
            }

            @Override
            public int read(byte[] buffer, int from, int length) throws IOException {
                return length == 0 ? 0 : TarReader.this.read(buffer, from, length);
            }
        };
    }

    /// A block behind a header that belongs to it.
    byte[] block() throws IOException {
        var block = in.readNBytes(TarHeader.BLOCK);
        if (block.length < TarHeader.BLOCK) {
            throw truncated();
        }
        return block;
    }

    private TarEntry entry(TarHeader header, PaxRecords records, String name, String link) throws IOException {
        var kind = kind(header.type(), name);
        var size = records.number("size", header.size());
        begin(kind == TarEntry.Kind.FILE ? size : 0);
        var sparse = kind == TarEntry.Kind.FILE ? sparse(header, records) : null;
        var segments = sparse != null
                ? sparse.segments
                : remaining == 0 ? List.<TarEntry.Segment>of() : List.of(new TarEntry.Segment(0, remaining));
        return new TarEntry(
                sparse == null ? name : records.value("GNU.sparse.name", name),
                link,
                kind,
                header.permissions(),
                records.number("uid", header.uid()),
                records.number("gid", header.gid()),
                records.time("mtime", new Status.Time(header.seconds(), 0)),
                device(header.major()),
                device(header.minor()),
                sparse == null ? remaining : sparse.size,
                segments,
                records.attributes());
    }

    private @Nullable Sparse sparse(TarHeader header, PaxRecords records) throws IOException {
        if (header.type() == 'S') {
            if (!header.isGnu()) {
                throw invalid("the archive has a sparse file outside the format of GNU tar");
            }
            return checked(SparseMap.size(header), SparseMap.read(header, this));
        }
        if (records.value("GNU.sparse.major", "0").equals("1")) {
            var preface = SparseMap.readPreface(this);
            remaining -= preface.bytes();
            return checked(records.number("GNU.sparse.realsize", -1), preface.segments());
        }
        var map = records.sparseMap();
        return map.isEmpty() ? null : checked(records.number("GNU.sparse.size", -1), SparseMap.parse(map));
    }

    private Sparse checked(long size, List<TarEntry.Segment> segments) {
        if (remaining < 0) {
            throw invalid("a sparse map of the archive is longer than its file");
        }
        return new Sparse(size, SparseMap.checked(segments, size, remaining));
    }

    private static TarEntry.Kind kind(char type, String name) {
        return switch (type) {
            case '\0' -> name.endsWith("/") ? TarEntry.Kind.DIRECTORY : TarEntry.Kind.FILE;
            case '0', '7', 'S' -> TarEntry.Kind.FILE;
            case '1' -> TarEntry.Kind.HARD_LINK;
            case '2' -> TarEntry.Kind.SYMBOLIC_LINK;
            case '3' -> TarEntry.Kind.CHARACTER_DEVICE;
            case '4' -> TarEntry.Kind.BLOCK_DEVICE;
            case '5' -> TarEntry.Kind.DIRECTORY;
            case '6' -> TarEntry.Kind.FIFO;
            default ->
                throw invalid(
                        Names.shown(name) + " is of a kind that no image may hold: type " + Names.shown("" + type));
        };
    }

    private static int device(long number) {
        if (number < 0 || number > 0xfffff) {
            throw invalid("the archive has a device number out of range");
        }
        return (int) number;
    }

    private void begin(long size) {
        if (size < 0 || size > Long.MAX_VALUE - TarHeader.BLOCK) {
            throw invalid("the archive has an entry of impossible size");
        }
        remaining = size;
        padding = -size & (TarHeader.BLOCK - 1);
    }

    private String longText(TarHeader header) throws IOException {
        var bytes = extension(header);
        var end = 0;
        while (end < bytes.length && bytes[end] != 0) {
            end++;
        }
        return Names.of(bytes, 0, end);
    }

    private byte[] extension(TarHeader header) throws IOException {
        begin(header.size());
        if (remaining > LONGEST_EXTENSION) {
            throw invalid("the archive has an extended header of more than " + LONGEST_EXTENSION + " bytes");
        }
        var bytes = in.readNBytes((int) remaining);
        remaining -= bytes.length;
        if (remaining > 0) {
            throw truncated();
        }
        return bytes;
    }

    private byte @Nullable [] headerBlock() throws IOException {
        if (ended) {
            return null;
        }
        var block = in.readNBytes(TarHeader.BLOCK);
        if (block.length == 0) {
            ended = true;
        } else if (block.length < TarHeader.BLOCK) {
            throw truncated();
        } else if (TarHeader.isEnd(block)) {
            ended = true;
            var second = in.readNBytes(TarHeader.BLOCK);
            if (!TarHeader.isEnd(second)) {
                throw invalid("the archive goes on behind its end");
            }
        }
        return ended ? null : block;
    }

    /// The fill behind the content of the last entry may be missing, as Go has it.
    private void skipRest() throws IOException {
        var content = remaining;
        var fill = (int) padding;
        remaining = 0;
        padding = 0;
        try {
            in.skipNBytes(content);
        } catch (EOFException e) {
            throw truncated();
        }
        ended |= in.readNBytes(fill).length < fill;
    }

    private static RuntimeException truncated() {
        return invalid("the archive ends in the middle of an entry");
    }

    private record Sparse(long size, List<TarEntry.Segment> segments) {}
}
