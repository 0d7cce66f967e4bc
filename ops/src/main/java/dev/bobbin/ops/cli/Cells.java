package dev.bobbin.ops.cli;

import java.util.regex.Pattern;

/// Text as it lies in the cells of a terminal.
final class Cells {
    private static final Pattern SEQUENCE =
            Pattern.compile("\u001b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\u0007\u001b]*(?:\u0007|\u001b\\\\)?|[ -/]*[0-~])");
    private static final int TAB = 8;

    private Cells() {}

    /// A line that a program printed, without what would move the cursor or colour anything: what can be seen of it at
    /// its end.
    static String plain(String line) {
        var text = line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
        text = SEQUENCE.matcher(text.substring(text.lastIndexOf('\r') + 1)).replaceAll("");
        var plain = new StringBuilder();
        text.codePoints().forEach(each -> {
            if (each == '\t') {
                plain.repeat(' ', TAB - plain.length() % TAB);
            } else if (!Character.isISOControl(each)) {
                plain.appendCodePoint(each);
            }
        });
        return plain.toString();
    }

    /// As much of a text as fits in so many cells.
    static String cut(String text, int cells) {
        var left = cells;
        for (var at = 0; at < text.length(); ) {
            var each = text.codePointAt(at);
            left -= width(each);
            if (left < 0) {
                return text.substring(0, at);
            }
            at += Character.charCount(each);
        }
        return text;
    }

    /// How many cells a text takes.
    static int width(String text) {
        return text.codePoints().map(Cells::width).sum();
    }

    private static int width(int each) {
        var type = Character.getType(each);
        if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK || type == Character.FORMAT) {
            return 0;
        }
        return isWide(each) ? 2 : 1;
    }

    private static boolean isWide(int each) {
        return (each >= 0x1100 && each <= 0x115f)
                || (each >= 0x2e80 && each <= 0xa4cf)
                || (each >= 0xac00 && each <= 0xd7a3)
                || (each >= 0xf900 && each <= 0xfaff)
                || (each >= 0xfe30 && each <= 0xfe6f)
                || (each >= 0xff00 && each <= 0xff60)
                || (each >= 0xffe0 && each <= 0xffe6)
                || (each >= 0x1f300 && each <= 0x1faff)
                || (each >= 0x20000 && each <= 0x3fffd);
    }
}
