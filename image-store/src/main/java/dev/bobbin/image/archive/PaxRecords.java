package dev.bobbin.image.archive;

import static dev.bobbin.image.ImageException.invalid;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The records of a PAX extended header, `length key=value\n` each, read as bytes: a value may be anything.
final class PaxRecords {
    static final PaxRecords NONE = new PaxRecords();

    private static final String ATTRIBUTE = "SCHILY.xattr.";

    private final Map<String, String> values = new LinkedHashMap<>();
    private final List<String> sparseOffsetsAndLengths = new ArrayList<>();

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
            records.add(
                    Names.of(header, space + 1, equals - space - 1),
                    Names.of(header, equals + 1, at + length - 1 - equals - 1));
            at += length;
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
        var isName = key.equals("path") || key.equals("linkpath");
        if (key.isEmpty() || key.indexOf('\0') >= 0 || (isName && value.indexOf('\0') >= 0)) {
            throw invalid("an extended header of the archive has a record with a zero byte in its name");
        }
        if (key.equals("GNU.sparse.offset") || key.equals("GNU.sparse.numbytes")) {
            var expectsOffset = sparseOffsetsAndLengths.size() % 2 == 0;
            if (expectsOffset != key.equals("GNU.sparse.offset")) {
                throw invalid("a sparse map of the archive is out of order");
            }
            sparseOffsetsAndLengths.add(value);
        } else {
            values.put(key, value);
        }
    }

    /// The value of a key; an empty one is as good as none.
    @Nullable
    String value(String key) {
        var value = values.get(key);
        return value == null || value.isEmpty() ? null : value;
    }

    String value(String key, String otherwise) {
        var value = value(key);
        return value == null ? otherwise : value;
    }

    long number(String key, long otherwise) {
        var value = value(key);
        return value == null ? otherwise : parseNumber(key, value);
    }

    Status.Time time(String key, Status.Time otherwise) {
        var value = value(key);
        if (value == null) {
            return otherwise;
        }
        var point = value.indexOf('.');
        var negative = value.startsWith("-");
        var whole = point < 0 ? value : value.substring(0, point);
        var seconds = whole.isEmpty() || whole.equals("-") ? 0 : parseNumber(key, whole);
        var nanos = point < 0 ? 0 : nanos(key, value.substring(point + 1));
        return negative && nanos > 0
                ? new Status.Time(seconds - 1, 1_000_000_000 - nanos)
                : new Status.Time(seconds, nanos);
    }

    private static int nanos(String key, String fraction) {
        var digits = fraction.length() > 9 ? fraction.substring(0, 9) : fraction;
        return digits.isEmpty() ? 0 : (int) Math.abs(parseNumber(key, digits + "0".repeat(9 - digits.length())));
    }

    /// The map of a sparse file where the records hold it (formats 0.0 and 0.1), as numbers.
    List<String> sparseMap() {
        var map = value("GNU.sparse.map");
        return map == null ? sparseOffsetsAndLengths : Arrays.asList(map.split(",", -1));
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

    static long parseNumber(String what, String digits) {
        try {
            return Long.parseLong(digits);
        } catch (NumberFormatException e) {
            throw invalid("the archive has no number in " + Names.shown(what));
        }
    }
}
