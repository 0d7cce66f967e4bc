package dev.bobbin.runner.build.dockerfile;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// The JSON form of arguments: `["a", "b"]`. What is not exactly that is a text for a shell, as `[ -f x ] && y`; only
/// an array of other things is refused.
final class StringArray {
    private static final Pattern OTHER = Pattern.compile("-?[0-9]+(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null");
    private static final int HEX = 16;

    private final String text;
    private final List<String> strings = new ArrayList<>();
    private boolean others;
    private int at;

    private StringArray(String text) {
        this.text = text;
    }

    /// The strings, nothing if `text` is no JSON array.
    ///
    /// @throws IllegalArgumentException if it is one of other things
    static Optional<List<String>> read(String text) {
        var array = new StringArray(text.strip());
        if (!array.isArray()) {
            return Optional.empty();
        }
        if (array.others) {
            throw new IllegalArgumentException("an array here holds strings only: [\"a\", \"b\"]");
        }
        return Optional.of(List.copyOf(array.strings));
    }

    private boolean isArray() {
        if (!taken('[')) {
            return false;
        }
        if (taken(']')) {
            return at == text.length();
        }
        do {
            skipSpace();
            if (!string() && !other()) {
                return false;
            }
        } while (taken(','));
        return taken(']') && at == text.length();
    }

    private boolean other() {
        var match = OTHER.matcher(text).region(at, text.length());
        if (!match.lookingAt()) {
            return false;
        }
        at = match.end();
        others = true;
        return true;
    }

    private boolean string() {
        if (at >= text.length() || text.charAt(at) != '"') {
            return false;
        }
        var string = new StringBuilder();
        for (at++; at < text.length(); at++) {
            var each = text.charAt(at);
            if (each == '"') {
                at++;
                strings.add(string.toString());
                return true;
            }
            if (each < ' ' || (each == '\\' && !escaped(string))) {
                return false;
            }
            if (each != '\\') {
                string.append(each);
            }
        }
        return false;
    }

    private boolean escaped(StringBuilder string) {
        if (++at >= text.length()) {
            return false;
        }
        switch (text.charAt(at)) {
            case '"', '\\', '/' -> string.append(text.charAt(at));
            case 'b' -> string.append('\b');
            case 'f' -> string.append('\f');
            case 'n' -> string.append('\n');
            case 'r' -> string.append('\r');
            case 't' -> string.append('\t');
            case 'u' -> {
                return unicode(string);
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean unicode(StringBuilder string) {
        var unit = 0;
        for (var digits = 0; digits < 4; digits++) {
            var digit = ++at < text.length() ? Character.digit(text.charAt(at), HEX) : -1;
            if (digit < 0) {
                return false;
            }
            unit = unit * HEX + digit;
        }
        string.append((char) unit);
        return true;
    }

    private boolean taken(char expected) {
        skipSpace();
        var there = at < text.length() && text.charAt(at) == expected;
        at += there ? 1 : 0;
        return there;
    }

    private void skipSpace() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
    }
}
