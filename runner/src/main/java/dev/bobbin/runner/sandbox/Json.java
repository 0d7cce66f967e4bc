package dev.bobbin.runner.sandbox;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Reads and writes the little JSON of this module's files: objects, arrays, strings, whole numbers, true, false and
/// null. Everything else is damage.
public final class Json {
    private static final int DEEPEST = 8;

    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /// `value` and a line end.
    public static String write(@Nullable Object value) {
        var out = new StringBuilder();
        write(value, out);
        return out.append('\n').toString();
    }

    private static void write(@Nullable Object value, StringBuilder out) {
        switch (value) {
            case null -> out.append("null");
            case String string -> quote(string, out);
            case Long number -> out.append(number.longValue());
            case List<?> list -> {
                var separator = "[";
                for (var each : list) {
                    write(each, out.append(separator));
                    separator = ", ";
                }
                out.append(list.isEmpty() ? "[]" : "]");
            }
            case Map<?, ?> map -> {
                var separator = "{";
                for (var entry : map.entrySet()) {
                    quote((String) entry.getKey(), out.append(separator));
                    write(entry.getValue(), out.append(": "));
                    separator = ", ";
                }
                out.append(map.isEmpty() ? "{}" : "}");
            }
            default -> throw new IllegalArgumentException("no JSON of a " + value.getClass());
        }
    }

    private static void quote(String string, StringBuilder out) {
        out.append('"');
        for (var index = 0; index < string.length(); index++) {
            var each = string.charAt(index);
            if (each == '"' || each == '\\') {
                out.append('\\').append(each);
            } else if (each < ' ' || Character.isSurrogate(each)) {
                out.append("\\u").append(String.format("%04x", (int) each));
            } else {
                out.append(each);
            }
        }
        out.append('"');
    }

    /// The object that `text` is.
    ///
    /// @throws IllegalArgumentException if it is none
    public static Map<String, @Nullable Object> readObject(String text) {
        var json = new Json(text);
        var object = json.object(0);
        json.skipSpace();
        json.require(json.at == text.length());
        return object;
    }

    private Map<String, @Nullable Object> object(int depth) {
        var object = new LinkedHashMap<String, @Nullable Object>();
        expect('{');
        if (!accept('}')) {
            do {
                var name = string();
                expect(':');
                object.put(name, value(depth + 1));
            } while (accept(','));
            expect('}');
        }
        return object;
    }

    private List<@Nullable Object> array(int depth) {
        var array = new ArrayList<@Nullable Object>();
        expect('[');
        if (!accept(']')) {
            do {
                array.add(value(depth + 1));
            } while (accept(','));
            expect(']');
        }
        return array;
    }

    private @Nullable Object value(int depth) {
        require(depth < DEEPEST);
        skipSpace();
        require(at < text.length());
        return switch (text.charAt(at)) {
            case '{' -> object(depth);
            case '[' -> array(depth);
            case '"' -> string();
            case 'n' -> word("null", null);
            case 't' -> word("true", true);
            case 'f' -> word("false", false);
            default -> number();
        };
    }

    private @Nullable Object word(String word, @Nullable Object value) {
        require(text.startsWith(word, at));
        at += word.length();
        return value;
    }

    private Long number() {
        var start = at;
        while (at < text.length() && (text.charAt(at) == '-' || Character.isDigit(text.charAt(at)))) {
            at++;
        }
        try {
            var isNegative = start < at && text.charAt(start) == '-';
            return isNegative ? Long.parseLong(text, start, at, 10) : Long.parseUnsignedLong(text, start, at, 10);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("no number at " + start, e);
        }
    }

    private String string() {
        expect('"');
        var out = new StringBuilder();
        while (true) {
            require(at < text.length());
            var each = text.charAt(at++);
            if (each == '"') {
                return out.toString();
            }
            if (each != '\\') {
                out.append(each);
                continue;
            }
            require(at < text.length());
            var escaped = text.charAt(at++);
            if (escaped == 'u') {
                require(at + 4 <= text.length());
                out.append((char) Integer.parseInt(text, at, at + 4, 16));
                at += 4;
            } else {
                out.append(
                        switch (escaped) {
                            case '"', '\\', '/' -> escaped;
                            case 'b' -> '\b';
                            case 'f' -> '\f';
                            case 'n' -> '\n';
                            case 'r' -> '\r';
                            case 't' -> '\t';
                            default -> throw damaged();
                        });
            }
        }
    }

    private void skipSpace() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
    }

    private boolean accept(char wanted) {
        skipSpace();
        if (at < text.length() && text.charAt(at) == wanted) {
            at++;
            return true;
        }
        return false;
    }

    private void expect(char wanted) {
        require(accept(wanted));
    }

    private void require(boolean condition) {
        if (!condition) {
            throw damaged();
        }
    }

    private IllegalArgumentException damaged() {
        return new IllegalArgumentException("no JSON that is understood here, at character " + at);
    }
}
