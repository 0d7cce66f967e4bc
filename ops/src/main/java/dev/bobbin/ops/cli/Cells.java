package dev.bobbin.ops.cli;

import java.util.function.Predicate;
import java.util.regex.Pattern;

/// Text as it lies in the cells of a terminal.
final class Cells {
    private static final Pattern SEQUENCE = Pattern.compile(
            "\u001b(?:\\[[0-?]*[ -/]*[@-~]|[\\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\\\)?|[ -/]*[0-~])");
    private static final Pattern COLOUR = Pattern.compile("\u001b\\[[0-9;:]*m");
    private static final int TAB = 8;

    private Cells() {}

    /// A line that a program printed, without what would move the cursor or colour anything: what can be seen of it at
    /// its end.
    static String plain(String line) {
        return with(line, _ -> false);
    }

    /// The same with its colours, which end with the line.
    static String coloured(String line) {
        var coloured = with(line, sequence -> COLOUR.matcher(sequence).matches());
        return coloured.indexOf('\033') < 0 ? coloured : coloured + "\033[0m";
    }

    /* What is left out is never looked at again: pieces that come together make no new sequence, since no escape
     * character but that of a sequence that may stay is taken over. */
    private static String with(String line, Predicate<String> maySequence) {
        var end = line.length();
        while (end > 0 && line.charAt(end - 1) == '\r') {
            end--;
        }
        var text = line.substring(line.lastIndexOf('\r', end - 1) + 1, end);
        var taken = new StringBuilder();
        var column = 0;
        var at = 0;
        for (var sequences = SEQUENCE.matcher(text); sequences.find(); at = sequences.end()) {
            column = take(text.substring(at, sequences.start()), taken, column);
            if (maySequence.test(sequences.group())) {
                taken.append(sequences.group());
            }
        }
        take(text.substring(at), taken, column);
        return taken.toString();
    }

    /// Takes over what can be seen, and tells the column behind it.
    private static int take(String text, StringBuilder taken, int begin) {
        var column = begin;
        for (var each : text.codePoints().toArray()) {
            if (each == '\t') {
                taken.repeat(' ', TAB - column % TAB);
                column += TAB - column % TAB;
            } else if (!Character.isISOControl(each)) {
                taken.appendCodePoint(each);
                column += width(each);
            }
        }
        return column;
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
