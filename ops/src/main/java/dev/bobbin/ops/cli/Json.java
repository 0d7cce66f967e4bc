package dev.bobbin.ops.cli;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Reads and writes JSON as plain maps, lists, strings, numbers and booleans. Reads what our own server wrote; small,
/// so that a command starts quickly.
final class Json {
    private static final int DEEPEST = 64;

    private final String text;
    private int at;
    private int depth;

    private Json(String text) {
        this.text = text;
    }

    /// The object written in `text`.
    ///
    /// @throws IllegalArgumentException if `text` is not one JSON object
    static Map<String, @Nullable Object> object(String text) {
        var json = new Json(text);
        json.space();
        var object = json.members();
        json.space();
        if (json.at != text.length()) {
            throw json.malformed();
        }
        return object;
    }

    static String write(Map<String, ?> object) {
        var out = new StringBuilder(256);
        write(object, out);
        return out.toString();
    }

    private static void write(Object value, StringBuilder out) {
        switch (value) {
            case Map<?, ?> map -> {
                var separator = '{';
                for (var member : map.entrySet()) {
                    out.append(separator);
                    quote(String.valueOf(member.getKey()), out);
                    out.append(':');
                    write(member.getValue(), out);
                    separator = ',';
                }
                out.append(map.isEmpty() ? "{}" : "}");
            }
            case List<?> list -> {
                var separator = '[';
                for (var element : list) {
                    out.append(separator);
                    write(element, out);
                    separator = ',';
                }
                out.append(list.isEmpty() ? "[]" : "]");
            }
            case Number number -> out.append(number);
            case Boolean flag -> out.append(flag);
            default -> quote(value.toString(), out);
        }
    }

    private static void quote(String value, StringBuilder out) {
        out.append('"');
        for (var index = 0; index < value.length(); index++) {
            var letter = value.charAt(index);
            if (letter == '"' || letter == '\\') {
                out.append('\\').append(letter);
            } else if (letter < ' ') {
                out.append("\\u00")
                        .append(Character.forDigit(letter >> 4, 16))
                        .append(Character.forDigit(letter & 15, 16));
            } else {
                out.append(letter);
            }
        }
        out.append('"');
    }

    private @Nullable Object value() {
        space();
        return switch (peek()) {
            case '{' -> members();
            case '[' -> elements();
            case '"' -> string();
            case 't' -> word("true", true);
            case 'f' -> word("false", false);
            case 'n' -> word("null", null);
            default -> number();
        };
    }

    private Map<String, @Nullable Object> members() {
        var object = new LinkedHashMap<String, @Nullable Object>();
        enter('{');
        while (!leave('}', object.isEmpty())) {
            space();
            var name = string();
            space();
            take(':');
            object.put(name, value());
        }
        return object;
    }

    private List<@Nullable Object> elements() {
        var list = new ArrayList<@Nullable Object>();
        enter('[');
        while (!leave(']', list.isEmpty())) {
            list.add(value());
        }
        return list;
    }

    private void enter(char bracket) {
        take(bracket);
        if (++depth > DEEPEST) {
            throw malformed();
        }
    }

    /// Whether the closing bracket comes next; takes it, or the comma that must stand before anything but the first.
    private boolean leave(char bracket, boolean first) {
        space();
        if (peek() == bracket) {
            at++;
            depth--;
            return true;
        }
        if (!first) {
            take(',');
        }
        return false;
    }

    private String string() {
        take('"');
        var end = text.indexOf('"', at);
        var escape = text.indexOf('\\', at, Math.max(at, end));
        if (end >= 0 && escape < 0) {
            var plain = text.substring(at, end);
            at = end + 1;
            return plain;
        }
        var out = new StringBuilder();
        while (peek() != '"') {
            var letter = text.charAt(at++);
            out.append(letter == '\\' ? escaped() : letter);
        }
        at++;
        return out.toString();
    }

    private char escaped() {
        var letter = peek();
        at++;
        return switch (letter) {
            case 'n' -> '\n';
            case 't' -> '\t';
            case 'r' -> '\r';
            case 'b' -> '\b';
            case 'f' -> '\f';
            case '"', '\\', '/' -> letter;
            case 'u' -> {
                if (at + 4 > text.length()) {
                    throw malformed();
                }
                at += 4;
                yield (char) Integer.parseInt(text, at - 4, at, 16);
            }
            default -> throw malformed();
        };
    }

    private Number number() {
        var start = at;
        while (at < text.length() && "+-.0123456789eE".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        var digits = text.substring(start, at);
        try {
            return Long.valueOf(digits);
        } catch (NumberFormatException _) {
            return new BigDecimal(digits);
        }
    }

    private @Nullable Object word(String word, @Nullable Object meaning) {
        if (!text.startsWith(word, at)) {
            throw malformed();
        }
        at += word.length();
        return meaning;
    }

    private void space() {
        while (at < text.length() && text.charAt(at) <= ' ') {
            at++;
        }
    }

    private char peek() {
        if (at >= text.length()) {
            throw malformed();
        }
        return text.charAt(at);
    }

    private void take(char expected) {
        if (peek() != expected) {
            throw malformed();
        }
        at++;
    }

    private IllegalArgumentException malformed() {
        return new IllegalArgumentException("malformed JSON at character " + at);
    }
}
