package dev.bobbin.scheduler.http.exchange;

import java.util.Optional;
import java.util.regex.Pattern;

/// A part of content, both ends included (RFC 9110, section 14).
public record ByteRange(long first, long last) {
    private static final Pattern WRITTEN = Pattern.compile("bytes=([0-9]{0,18})-([0-9]{0,18})");

    public long length() {
        return last - first + 1;
    }

    /// Whether a header asks for one part. Several parts, or other units, are answered with the whole.
    public static boolean asks(String header) {
        var written = WRITTEN.matcher(header);
        return written.matches()
                && !(written.group(1).isEmpty() && written.group(2).isEmpty())
                && (written.group(1).isEmpty()
                        || written.group(2).isEmpty()
                        || Long.parseLong(written.group(1)) <= Long.parseLong(written.group(2)));
    }

    /// The part of content of `size` bytes that a header [#asks] for, or nothing if the content has none of it.
    public static Optional<ByteRange> of(String header, long size) {
        var written = WRITTEN.matcher(header);
        if (!written.matches()) {
            return Optional.empty();
        }
        if (written.group(1).isEmpty()) {
            var length = Math.min(size, Long.parseLong(written.group(2)));
            return length == 0 ? Optional.empty() : Optional.of(new ByteRange(size - length, size - 1));
        }
        var first = Long.parseLong(written.group(1));
        var last = written.group(2).isEmpty() ? size - 1 : Math.min(size - 1, Long.parseLong(written.group(2)));
        return first >= size ? Optional.empty() : Optional.of(new ByteRange(first, last));
    }
}
