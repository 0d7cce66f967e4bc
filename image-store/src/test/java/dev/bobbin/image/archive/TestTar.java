package dev.bobbin.image.archive;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Writes tar archives by hand, also ones that no program would write. Names have one character a byte.
final class TestTar {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private int mode = 0644;
    private long uid;
    private long mtime = 1_000_000_000;

    /// Permissions, owner and time of the entries that follow.
    TestTar as(int newMode, long newUid, long newMtime) {
        mode = newMode;
        uid = newUid;
        mtime = newMtime;
        return this;
    }

    TestTar file(String name, String content) {
        return entry('0', name, "", content);
    }

    TestTar directory(String name) {
        var before = mode;
        mode = mode == 0644 ? 0755 : mode;
        entry('5', name, "", "");
        mode = before;
        return this;
    }

    TestTar link(String name, String target) {
        return entry('2', name, target, "");
    }

    TestTar hardLink(String name, String target) {
        return entry('1', name, target, "");
    }

    TestTar device(char type, String name, int major, int minor) {
        var header = header(type, name, "", 0);
        put(header, 329, "%07o".formatted(major));
        put(header, 337, "%07o".formatted(minor));
        return raw(seal(header));
    }

    /// An extended header for the entry that follows: keys and values by turns.
    TestTar pax(String... keysAndValues) {
        return extended('x', keysAndValues);
    }

    TestTar extended(char type, String... keysAndValues) {
        var records = new StringBuilder();
        for (var i = 0; i < keysAndValues.length; i += 2) {
            var body = " " + keysAndValues[i] + "=" + keysAndValues[i + 1] + "\n";
            var length = body.length() + 1;
            while (String.valueOf(length).length() + body.length() != length) {
                length = String.valueOf(length).length() + body.length();
            }
            records.append(length).append(body);
        }
        return entry(type, "PaxHeaders/x", "", records.toString());
    }

    TestTar entry(char type, String name, String link, String content) {
        raw(seal(header(type, name, link, content.length())));
        return padded(content);
    }

    TestTar padded(String content) {
        raw(bytes(content));
        return raw(new byte[-content.length() & 511]);
    }

    byte[] header(char type, String name, String link, long size) {
        var header = new byte[512];
        put(header, 0, name);
        put(header, 100, "%07o".formatted(mode));
        number(header, 108, 8, uid);
        number(header, 116, 8, uid);
        number(header, 124, 12, size);
        number(header, 136, 12, mtime);
        header[156] = (byte) type;
        put(header, 157, link);
        put(header, 257, "ustar\00000");
        return header;
    }

    /// Fits the checksum to the rest.
    static byte[] seal(byte[] header) {
        Arrays.fill(header, 148, 156, (byte) ' ');
        var sum = 0;
        for (var value : header) {
            sum += value & 0xff;
        }
        put(header, 148, "%06o\0".formatted(sum));
        return header;
    }

    static void put(byte[] header, int at, String text) {
        var bytes = bytes(text);
        System.arraycopy(bytes, 0, header, at, bytes.length);
    }

    private static void number(byte[] header, int at, int length, long number) {
        var octal = Long.toOctalString(number);
        if (number >= 0 && octal.length() < length) {
            put(header, at, "0".repeat(length - 1 - octal.length()) + octal);
            return;
        }
        for (var i = length - 1; i >= 0; i--) {
            header[at + i] = (byte) (length - 1 - i < 8 ? number >> (8 * (length - 1 - i)) : number >> 63);
        }
        header[at] = (byte) (header[at] | 0x80);
    }

    TestTar raw(byte[] bytes) {
        out.writeBytes(bytes);
        return this;
    }

    /// The archive without an end mark.
    byte[] unended() {
        return out.toByteArray();
    }

    byte[] bytes() {
        return Arrays.copyOf(out.toByteArray(), out.size() + 1024);
    }

    InputStream stream() {
        return new ByteArrayInputStream(bytes());
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
