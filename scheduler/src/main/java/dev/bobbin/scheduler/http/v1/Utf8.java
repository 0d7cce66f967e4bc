package dev.bobbin.scheduler.http.v1;

/// What can be said of bytes that may end in the middle of a character.
final class Utf8 {
    private Utf8() {}

    /// How many leading bytes are whole characters if the rest, at most three bytes, can still become one; -1 if the
    /// bytes are not UTF-8 whatever may follow.
    static int whole(byte[] data, int length) {
        var at = 0;
        while (at < length) {
            var first = data[at];
            if (first >= 0) {
                at++;
                continue;
            }
            var size = size(first);
            if (size == 0) {
                return -1;
            }
            for (var next = 1; next < size; next++) {
                if (at + next == length) {
                    return at;
                }
                if (!continues(first, next, data[at + next])) {
                    return -1;
                }
            }
            at += size;
        }
        return at;
    }

    private static int size(byte first) {
        var lead = first & 0xff;
        if (lead >= 0xc2 && lead <= 0xdf) {
            return 2;
        }
        if (lead >= 0xe0 && lead <= 0xef) {
            return 3;
        }
        return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
    }

    /// Table 3-7 of the Unicode standard: no overlong forms, no surrogates, nothing past U+10FFFF.
    private static boolean continues(byte first, int index, byte next) {
        var value = next & 0xff;
        var lowest = 0x80;
        var highest = 0xbf;
        if (index == 1) {
            switch (first & 0xff) {
                case 0xe0 -> lowest = 0xa0;
                case 0xed -> highest = 0x9f;
                case 0xf0 -> lowest = 0x90;
                case 0xf4 -> highest = 0x8f;
                default -> {}
            }
        }
        return value >= lowest && value <= highest;
    }
}
