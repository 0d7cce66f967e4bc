package dev.bobbin.image.archive;

import static dev.bobbin.image.ImageException.invalid;

import org.apache.commons.compress.archivers.tar.TarUtils;

/// One block of 512 bytes at the head of an entry, checked for what Commons Compress takes and Go's tar package, which
/// all other engines use, reads otherwise: no two of them may see different files in one archive.
final class TarHeader {
    static final int BLOCK = 512;
    static final int TYPE = 156;
    static final int SIZE = 124;
    static final int SIZE_LENGTH = 12;

    private static final int PREFIX = 345;
    private static final String GNU = "ustar  \0";
    private static final int[][] NUMBERS = {
        {100, 8}, {108, 8}, {116, 8}, {SIZE, SIZE_LENGTH}, {136, 12}, {329, 8}, {337, 8}
    };
    /// Times that GNU tar has where others have the prefix; Go takes them for a prefix if they are no numbers.
    private static final int[][] GNU_TIMES = {{PREFIX, 12}, {357, 12}};

    private final byte[] block;

    /// Takes hold of `block`, which must not change while the header is in use.
    TarHeader(byte[] block) {
        this.block = block;
        requireChecksum();
        requirePlain(NUMBERS);
        if (hasMagic(GNU)) {
            requirePlain(GNU_TIMES);
        }
        if (!hasMagic("ustar") && block[PREFIX] != 0) {
            throw invalid("a header of the archive has a long name in a format without them");
        }
        if (type() == 'S') {
            if (!hasMagic(GNU)) {
                throw invalid("the archive has a sparse file outside the format of GNU tar");
            }
            requireTidyMap(block, 386, 4, 482);
        }
    }

    static boolean isEnd(byte[] block) {
        for (var value : block) {
            if (value != 0) {
                return false;
            }
        }
        return true;
    }

    /// Refuses the part of an old sparse map that Go would not read to the end, or beyond it.
    static void requireTidyMap(byte[] bytes, int from, int segments, int continues) {
        var end = from + 24 * segments;
        var at = from;
        while (at < end && bytes[at] != 0) {
            at += 24;
        }
        var isTidy = bytes[continues] == 0 || bytes[continues] == 1;
        for (; at < end; at++) {
            isTidy &= bytes[at] == 0;
        }
        if (!isTidy) {
            throw invalid("a sparse map of the archive is malformed");
        }
    }

    byte[] block() {
        return block;
    }

    char type() {
        return (char) (block[TYPE] & 0xff);
    }

    /// The name without its prefix, for messages.
    String shortName() {
        var end = 0;
        while (end < 100 && block[end] != 0) {
            end++;
        }
        return Names.of(block, 0, end);
    }

    /// Commons Compress cuts ids and device numbers to 32 bits: 2^32 would be root.
    long uid() {
        return number(108, 8);
    }

    long gid() {
        return number(116, 8);
    }

    long size() {
        return number(SIZE, SIZE_LENGTH);
    }

    long major() {
        return hasMagic("ustar") ? number(329, 8) : 0;
    }

    long minor() {
        return hasMagic("ustar") ? number(337, 8) : 0;
    }

    private void requireChecksum() {
        boolean isRight;
        try {
            isRight = TarUtils.verifyCheckSum(block);
        } catch (IllegalArgumentException e) {
            isRight = false;
        }
        if (!isRight) {
            throw invalid("a header of the archive has a wrong checksum");
        }
    }

    /// Go reads digits behind a zero byte, and more bits of the first byte of a binary number.
    private void requirePlain(int[][] numbers) {
        for (var number : numbers) {
            var from = number[0];
            var first = block[from] & 0xff;
            var isPlain = first < 0x80 || first == 0x80 || first == 0xff;
            for (var i = from + 1; first == 0 && i < from + number[1]; i++) {
                isPlain &= block[i] == 0;
            }
            if (!isPlain) {
                throw invalid("a number in a header of the archive is malformed");
            }
        }
    }

    private long number(int from, int length) {
        try {
            return TarUtils.parseOctalOrBinary(block, from, length);
        } catch (IllegalArgumentException e) {
            throw invalid("a number in a header of the archive is malformed");
        }
    }

    private boolean hasMagic(String magic) {
        for (var i = 0; i < magic.length(); i++) {
            if (block[257 + i] != magic.charAt(i)) {
                return false;
            }
        }
        return true;
    }
}
