package dev.bobbin.image.archive;

import static dev.bobbin.image.ImageException.invalid;

/// One block of 512 bytes at the head of an entry: V7, ustar, star or GNU. It is read as Go's tar package reads it,
/// which all other engines use, so that no two of them see different files in one archive.
final class TarHeader {
    static final int BLOCK = 512;

    private static final int CHECKSUM = 148;
    private static final int CHECKSUM_END = 156;

    private final byte[] block;

    private TarHeader(byte[] block) {
        this.block = block;
    }

    static boolean isEnd(byte[] block) {
        for (var value : block) {
            if (value != 0) {
                return false;
            }
        }
        return true;
    }

    /// Takes hold of `block`, which must not change while the header is in use.
    static TarHeader of(byte[] block) {
        var header = new TarHeader(block);
        header.verify();
        return header;
    }

    /// A block that continues a header and has no checksum of its own.
    static TarHeader unverified(byte[] block) {
        return new TarHeader(block);
    }

    private void verify() {
        long unsigned = 0;
        long signed = 0;
        for (var i = 0; i < BLOCK; i++) {
            var value = i >= CHECKSUM && i < CHECKSUM_END ? (byte) ' ' : block[i];
            unsigned += value & 0xff;
            signed += value;
        }
        var stated = octal(CHECKSUM, 8);
        if (stated != unsigned && stated != signed) {
            throw invalid("a header of the archive has a wrong checksum");
        }
    }

    char type() {
        return (char) (block[156] & 0xff);
    }

    String name() {
        var name = text(0, 100);
        if (!hasMagic("ustar\0")) {
            return name;
        }
        var isStar = block[508] == 't' && block[509] == 'a' && block[510] == 'r' && block[511] == 0;
        var prefix = text(345, isStar ? 131 : 155);
        return prefix.isEmpty() ? name : prefix + "/" + name;
    }

    String link() {
        return text(157, 100);
    }

    int permissions() {
        return (int) (number(100, 8) & Status.PERMISSIONS);
    }

    long uid() {
        return number(108, 8);
    }

    long gid() {
        return number(116, 8);
    }

    long size() {
        return number(124, 12);
    }

    long seconds() {
        return number(136, 12);
    }

    long major() {
        return hasMagic("ustar") ? number(329, 8) : 0;
    }

    long minor() {
        return hasMagic("ustar") ? number(337, 8) : 0;
    }

    boolean isGnu() {
        return hasMagic("ustar  \0");
    }

    private boolean hasMagic(String magic) {
        for (var i = 0; i < magic.length(); i++) {
            if (block[257 + i] != magic.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    String text(int from, int length) {
        var end = from;
        while (end < from + length && block[end] != 0) {
            end++;
        }
        return Names.of(block, from, end - from);
    }

    boolean flag(int at) {
        return block[at] != 0;
    }

    /// Octal digits, or a big-endian number where the first bit is set.
    long number(int from, int length) {
        if ((block[from] & 0x80) == 0) {
            return octal(from, length);
        }
        var negative = (block[from] & 0x40) != 0;
        long value = negative ? -1 : 0;
        for (var i = from; i < from + length; i++) {
            var bits = i == from ? (negative ? block[i] | 0x80 : block[i] & 0x7f) & 0xff : block[i] & 0xff;
            if (value >> 55 != (negative ? -1 : 0)) {
                throw invalid("a number in a header of the archive is too large");
            }
            value = value << 8 | bits;
        }
        return value;
    }

    private long octal(int from, int length) {
        var digits = Names.of(block, from, length);
        var start = 0;
        var end = digits.length();
        while (start < end && isFiller(digits.charAt(start))) {
            start++;
        }
        var zero = digits.indexOf('\0', start);
        end = zero < 0 ? end : zero;
        while (end > start && isFiller(digits.charAt(end - 1))) {
            end--;
        }
        long value = 0;
        for (var i = start; i < end; i++) {
            var digit = digits.charAt(i) - '0';
            if (digit < 0 || digit > 7) {
                throw invalid("a number in a header of the archive has no octal digits");
            }
            value = value << 3 | digit;
        }
        return value;
    }

    private static boolean isFiller(char character) {
        return character == ' ' || character == '\0';
    }
}
