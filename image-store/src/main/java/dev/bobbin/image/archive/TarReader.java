package dev.bobbin.image.archive;

import static dev.bobbin.image.ImageException.invalid;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.jspecify.annotations.Nullable;

/// Reads a tar archive from first to last entry, holding one header at a time. Global extended headers are passed
/// over, as all engines do: to them they are entries, so what came before one is forgotten.
///
/* Two parsers that disagree about where an entry ends see two different archives, and the others are all Go's. So the
 * headers before an entry are sifted here as Go sifts them: GNU long names go before PAX paths, the last of several
 * extended headers counts, links and devices have no content. Commons Compress then reads the header of one entry at a
 * time, with the records that may change it, and the maps of sparse files; see decisions/0004. */
final class TarReader {
    private static final int LONGEST_EXTENSION = 1024 * 1024;

    private final PushbackInputStream in;
    private long remaining;
    private long padding;
    private boolean ended;

    TarReader(InputStream in) {
        this.in = new PushbackInputStream(in, TarHeader.BLOCK);
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
            var header = new TarHeader(block);
            switch (header.type()) {
                case 'x' -> records = PaxRecords.parse(extension(header));
                case 'g' -> {
                    begin(header.size());
                    records = PaxRecords.NONE;
                    longName = "";
                    longLink = "";
                }
                case 'L' -> longName = longText(header);
                case 'K' -> longLink = longText(header);
                default -> {
                    return entry(header, records, longName, longLink);
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

    private TarEntry entry(TarHeader header, PaxRecords records, String longName, String longLink) throws IOException {
        requireKnown(header);
        var isOldSparse = header.type() == 'S';
        var isSparse = records.isSparse();
        if (isOldSparse && !records.isEmpty()) {
            throw invalid("the archive has a sparse file of two formats");
        }
        var read = ParsedHeader.read(header, records, in, LONGEST_EXTENSION);
        var parsed = read.entry();
        var sparseName = isSparse ? records.value("GNU.sparse.name") : null;
        var name = sparseName != null ? sparseName : first(longName, records.value("path"), parsed.getName());
        var kind = kind(header.type(), name);
        var modified = parsed.getLastModifiedTime().toInstant();
        var isDevice = kind == TarEntry.Kind.CHARACTER_DEVICE || kind == TarEntry.Kind.BLOCK_DEVICE;
        begin(kind == TarEntry.Kind.FILE ? parsed.getSize() : 0);
        var segments = isSparse || isOldSparse ? segments(parsed, kind, read.map()) : whole();
        return new TarEntry(
                text(name),
                text(first(longLink, records.value("linkpath"), parsed.getLinkName())),
                kind,
                parsed.getMode() & Status.PERMISSIONS,
                records.has("uid") ? parsed.getLongUserId() : header.uid(),
                records.has("gid") ? parsed.getLongGroupId() : header.gid(),
                new Status.Time(modified.getEpochSecond(), modified.getNano()),
                isDevice ? device(header.major()) : 0,
                isDevice ? device(header.minor()) : 0,
                isSparse || isOldSparse ? parsed.getRealSize() : remaining,
                segments,
                records.attributes());
    }

    private static void requireKnown(TarHeader header) {
        if ("\00001234567S".indexOf(header.type()) < 0) {
            throw invalid(Names.shown(header.shortName()) + " is of a kind that no image may hold: type "
                    + Names.shown("" + header.type()));
        }
    }

    private List<TarEntry.Segment> whole() {
        return remaining == 0 ? List.of() : List.of(new TarEntry.Segment(0, remaining));
    }

    private List<TarEntry.Segment> segments(TarArchiveEntry entry, TarEntry.Kind kind, byte[] map) throws IOException {
        if (kind != TarEntry.Kind.FILE || entry.getRealSize() < 0) {
            throw invalid("the archive has a sparse map of no file");
        }
        if (entry.isPaxGNU1XSparse()) {
            rewind(entry, map);
        } else {
            for (var at = 0; at < map.length; at += TarHeader.BLOCK) {
                TarHeader.requireTidyMap(Arrays.copyOfRange(map, at, at + TarHeader.BLOCK), 0, 21, 504);
            }
        }
        var segments = new ArrayList<TarEntry.Segment>();
        long end = 0;
        long total = 0;
        for (var segment : entry.getSparseHeaders()) {
            if (segment.getNumbytes() > 0) {
                if (segment.getOffset() < end) {
                    throw invalid("a sparse map of the archive is out of order");
                }
                segments.add(new TarEntry.Segment(segment.getOffset(), segment.getNumbytes()));
                end = segment.getOffset() + segment.getNumbytes();
                total += segment.getNumbytes();
            }
        }
        if (total != remaining) {
            throw invalid("a sparse map of the archive promises other content than there is");
        }
        return segments;
    }

    /// Goes back to the block behind a map in the content: the library skips one too many if the map fills its last.
    private void rewind(TarArchiveEntry entry, byte[] map) throws IOException {
        var lines = 1 + 2 * entry.getSparseHeaders().size();
        var end = 0;
        while (lines > 0) {
            lines -= map[end++] == '\n' ? 1 : 0;
        }
        end += fill(end);
        if (end > map.length || end > remaining) {
            throw invalid("a sparse map of the archive is longer than its file");
        }
        in.unread(map, end, map.length - end);
        remaining -= end;
    }

    private static TarEntry.Kind kind(char type, String name) {
        return switch (type) {
            case '\0' -> name.endsWith("/") ? TarEntry.Kind.DIRECTORY : TarEntry.Kind.FILE;
            case '1' -> TarEntry.Kind.HARD_LINK;
            case '2' -> TarEntry.Kind.SYMBOLIC_LINK;
            case '3' -> TarEntry.Kind.CHARACTER_DEVICE;
            case '4' -> TarEntry.Kind.BLOCK_DEVICE;
            case '5' -> TarEntry.Kind.DIRECTORY;
            case '6' -> TarEntry.Kind.FIFO;
            default -> TarEntry.Kind.FILE;
        };
    }

    private static String first(String longText, @Nullable String record, String text) {
        if (!longText.isEmpty()) {
            return longText;
        }
        return record == null ? text : record;
    }

    private static String text(String name) {
        if (name.indexOf('\0') >= 0) {
            throw invalid("the archive has a name with a zero byte");
        }
        return name;
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
        padding = fill(size);
    }

    static int fill(long size) {
        return (int) (-size & (TarHeader.BLOCK - 1));
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
            if (!TarHeader.isEnd(in.readNBytes(TarHeader.BLOCK))) {
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
}
