package dev.bobbin.image.archive;

import static dev.bobbin.image.ImageException.invalid;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// Where the content of a sparse file goes, in each of the four ways that GNU tar has written it.
final class SparseMap {
    private static final int MOST_SEGMENTS = 1 << 20;
    private static final int HEADER_MAP = 386;
    private static final int HEADER_SEGMENTS = 4;
    private static final int HEADER_CONTINUES = 482;
    private static final int HEADER_SIZE = 483;
    private static final int EXTENSION_SEGMENTS = 21;
    private static final int EXTENSION_CONTINUES = 504;

    private SparseMap() {}

    /// The size of a file in the oldest format, whose map lies in its header and in blocks behind it.
    static long size(TarHeader header) {
        return header.number(HEADER_SIZE, 12);
    }

    static List<TarEntry.Segment> read(TarHeader header, TarReader reader) throws IOException {
        var segments = new ArrayList<TarEntry.Segment>();
        addAll(header, HEADER_MAP, HEADER_SEGMENTS, segments);
        var continues = header.flag(HEADER_CONTINUES);
        while (continues) {
            var extension = TarHeader.unverified(reader.block());
            addAll(extension, 0, EXTENSION_SEGMENTS, segments);
            continues = extension.flag(EXTENSION_CONTINUES);
        }
        return segments;
    }

    private static void addAll(TarHeader block, int from, int count, List<TarEntry.Segment> segments) {
        for (var i = 0; i < count && block.flag(from + 24 * i); i++) {
            add(block.number(from + 24 * i, 12), block.number(from + 24 * i + 12, 12), segments);
        }
    }

    /// Formats 0.0 and 0.1: offsets and lengths by turns.
    static List<TarEntry.Segment> parse(List<String> numbers) {
        if (numbers.size() % 2 != 0) {
            throw invalid("a sparse map of the archive is incomplete");
        }
        var segments = new ArrayList<TarEntry.Segment>();
        for (var i = 0; i < numbers.size(); i += 2) {
            add(parse(numbers.get(i)), parse(numbers.get(i + 1)), segments);
        }
        return segments;
    }

    /// Format 1.0: lines of digits at the head of the content, filled up to a block.
    static Preface readPreface(TarReader reader) throws IOException {
        var lines = new Lines(reader);
        var count = lines.next();
        if (count < 0 || count > MOST_SEGMENTS) {
            throw invalid("a sparse map of the archive has too many segments");
        }
        var segments = new ArrayList<TarEntry.Segment>();
        for (var i = 0; i < count; i++) {
            add(lines.next(), lines.next(), segments);
        }
        return new Preface(segments, lines.bytes);
    }

    private static void add(long at, long length, List<TarEntry.Segment> segments) {
        if (segments.size() >= MOST_SEGMENTS) {
            throw invalid("a sparse map of the archive has too many segments");
        }
        segments.add(new TarEntry.Segment(at, length));
    }

    private static long parse(String digits) {
        return PaxRecords.parseNumber("a sparse map", digits);
    }

    /// Refuses a map that is not in order, does not fit its file, or needs other than the content there is.
    static List<TarEntry.Segment> checked(List<TarEntry.Segment> segments, long size, long stored) {
        long end = 0;
        long total = 0;
        for (var segment : segments) {
            var fits = segment.at() >= end
                    && segment.length() >= 0
                    && segment.at() <= size
                    && segment.length() <= size - segment.at();
            if (!fits) {
                throw invalid("a sparse map of the archive does not fit its file");
            }
            end = segment.at() + segment.length();
            total += segment.length();
        }
        if (total != stored) {
            throw invalid("a sparse map of the archive promises other content than there is");
        }
        return segments.stream().filter(segment -> segment.length() > 0).toList();
    }

    /// A map at the head of the content, and how much of the content it took.
    record Preface(List<TarEntry.Segment> segments, long bytes) {}

    private static final class Lines {
        private final TarReader reader;
        private byte[] block = new byte[0];
        private int at;
        private long bytes;

        Lines(TarReader reader) {
            this.reader = reader;
        }

        long next() throws IOException {
            var line = new StringBuilder();
            while (true) {
                if (at == block.length) {
                    block = reader.block();
                    bytes += block.length;
                    at = 0;
                }
                var character = (char) (block[at++] & 0xff);
                if (character == '\n') {
                    return parse(line.toString());
                }
                if (line.length() > 20) {
                    throw invalid("a sparse map of the archive has no lines");
                }
                line.append(character);
            }
        }
    }
}
