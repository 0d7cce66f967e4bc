package dev.bobbin.image.archive;

import static dev.bobbin.image.ImageException.invalid;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The records of a PAX extended header, `length key=value\n` each, read as bytes: Commons Compress takes names and
/// extended attributes for UTF-8, and would mangle those that are not.
final class PaxRecords {
    static final PaxRecords NONE = new PaxRecords();

    private static final String ATTRIBUTE = "SCHILY.xattr.";
    private static final String SPARSE = "GNU.sparse.";
    private static final Set<String> NUMBERS = Set.of("size", "uid", "gid", "mtime");

    private final Map<String, String> values = new LinkedHashMap<>();
    private final ByteArrayOutputStream known = new ByteArrayOutputStream();
    private boolean expectsLength;

    private PaxRecords() {}

    static PaxRecords parse(byte[] header) {
        var records = new PaxRecords();
        for (var at = 0; at < header.length; ) {
            var length = lengthAt(header, at);
            var equals = at;
            while (equals < at + length && header[equals] != '=') {
                equals++;
            }
            var space = at + String.valueOf(length).length();
            if (equals >= at + length - 1 || header[at + length - 1] != '\n' || header[space] != ' ') {
                throw invalid("an extended header of the archive is malformed");
            }
            var key = Names.of(header, space + 1, equals - space - 1);
            records.add(key, Names.of(header, equals + 1, at + length - 1 - equals - 1));
            if (NUMBERS.contains(key) || key.startsWith(SPARSE)) {
                records.known.write(header, at, length);
            }
            at += length;
        }
        if (records.expectsLength) {
            throw invalid("a sparse map of the archive is incomplete");
        }
        return records;
    }

    private static int lengthAt(byte[] header, int at) {
        var length = 0;
        for (var i = at; i < header.length && header[i] != ' '; i++) {
            if (header[i] < '0' || header[i] > '9' || (header[i] == '0' && length == 0) || length > header.length) {
                throw invalid("an extended header of the archive has a malformed length");
            }
            length = length * 10 + header[i] - '0';
        }
        if (length < 5 || length > header.length - at) {
            throw invalid("an extended header of the archive has a record longer than itself");
        }
        return length;
    }

    private void add(String key, String value) {
        if (key.isEmpty() || key.indexOf('\0') >= 0) {
            throw invalid("an extended header of the archive has a record with a zero byte in its name");
        }
        if (key.equals("GNU.sparse.offset") || key.equals("GNU.sparse.numbytes")) {
            if (expectsLength == key.equals("GNU.sparse.offset")) {
                throw invalid("a sparse map of the archive is out of order");
            }
            expectsLength = !expectsLength;
        }
        values.put(key, value);
    }

    /// The value of a key; an empty one is as good as none.
    @Nullable
    String value(String key) {
        var value = values.get(key);
        return value == null || value.isEmpty() ? null : value;
    }

    boolean has(String key) {
        return value(key) != null;
    }

    boolean isEmpty() {
        return values.isEmpty();
    }

    /// Whether they say that the file has holes; refuses those that two readers take for two formats.
    boolean isSparse() {
        var hasMapInContent = has("GNU.sparse.major") || has("GNU.sparse.minor") || has("GNU.sparse.realsize");
        var hasMapHere = has("GNU.sparse.size") || has("GNU.sparse.map") || has("GNU.sparse.offset");
        var isWhole = "1".equals(value("GNU.sparse.major"))
                && "0".equals(value("GNU.sparse.minor"))
                && has("GNU.sparse.realsize");
        var isWholeHere = has("GNU.sparse.size") && has("GNU.sparse.map") != has("GNU.sparse.offset");
        if ((hasMapInContent && (!isWhole || hasMapHere)) || (hasMapHere && !isWholeHere)) {
            throw invalid("a sparse map of the archive is of no known format");
        }
        return hasMapInContent || hasMapHere;
    }

    /// The records that the library is to read: numbers, times and sparse maps, whose names are text.
    byte[] known() {
        return known.toByteArray();
    }

    List<TarEntry.Attribute> attributes() {
        var attributes = new ArrayList<TarEntry.Attribute>();
        values.forEach((key, value) -> {
            if (key.startsWith(ATTRIBUTE)) {
                attributes.add(new TarEntry.Attribute(key.substring(ATTRIBUTE.length()), value));
            }
        });
        return attributes;
    }
}
