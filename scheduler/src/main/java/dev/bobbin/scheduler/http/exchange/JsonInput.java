package dev.bobbin.scheduler.http.exchange;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonStreamContext;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// A JSON request body, read front to back: what nobody asked for is never built in memory. Everything wrong is a
/// [Rejected] that names the field; `null` is as good as absent.
public final class JsonInput {
    private final JsonParser parser;

    private JsonInput(JsonParser parser) {
        this.parser = parser;
    }

    /// Takes one field of an object: reads its value, or leaves it alone.
    @FunctionalInterface
    public interface Fields {
        void read(String name, JsonInput value) throws IOException;
    }

    /// Reads a body that is one object with no other fields than `known`.
    public static void readObject(byte[] body, Set<String> known, Fields fields) {
        read(body, input -> input.object(known, false, fields));
    }

    /// Reads a body that is one object; fields other than `known` are passed over.
    public static void readLenientObject(byte[] body, Set<String> known, Fields fields) {
        read(body, input -> input.object(known, true, fields));
    }

    /// Reads a body whose first value is an object, as programs in Go do: names in any case, the last of those that are
    /// given twice, and nothing behind it matters. A body that is `null` has no fields.
    ///
    /// @param known in lower case, as `fields` is given them
    public static void readFirstObject(byte[] body, Set<String> known, Fields fields) {
        try (var parser = Json.parser(body)) {
            var first = parser.nextToken();
            if (first == JsonToken.START_OBJECT) {
                new JsonInput(parser).anyCase(known, fields);
            } else if (first != JsonToken.VALUE_NULL) {
                throw Rejected.invalid(null, "the body must be a JSON object");
            }
        } catch (IOException e) {
            throw Rejected.invalid(null, "malformed JSON" + place(e));
        }
    }

    private void anyCase(Set<String> known, Fields fields) throws IOException {
        for (var name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
            var plain = name.toLowerCase(Locale.ROOT);
            var value = parser.nextToken();
            if (!known.contains(plain)) {
                parser.skipChildren();
            } else if (value != JsonToken.VALUE_NULL) {
                fields.read(plain, this);
            }
        }
        if (parser.currentToken() != JsonToken.END_OBJECT) {
            throw Rejected.invalid(null, "malformed JSON");
        }
    }

    @FunctionalInterface
    private interface Reading {
        void of(JsonInput input) throws IOException;
    }

    private static void read(byte[] body, Reading reading) {
        try (var parser = Json.parser(body)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw Rejected.invalid(null, "the body must be a JSON object");
            }
            reading.of(new JsonInput(parser));
            if (parser.nextToken() != null) {
                throw Rejected.invalid(null, "the body must be one JSON object and nothing after it");
            }
        } catch (StreamConstraintsException e) {
            throw Rejected.invalid(null, "the JSON is nested too deeply or has a name or number that is too long");
        } catch (IOException e) {
            throw Rejected.invalid(null, "malformed JSON" + place(e));
        }
    }

    private static String place(IOException e) {
        if (e instanceof JsonProcessingException wrong && wrong.getLocation() != null) {
            var at = wrong.getLocation();
            return " at line " + at.getLineNr() + ", column " + at.getColumnNr();
        }
        return ": it must be UTF-8";
    }

    /// An object with no other fields than `known`.
    public void object(Set<String> known, Fields fields) throws IOException {
        expect(JsonToken.START_OBJECT, "an object");
        object(known, false, fields);
    }

    private void object(Set<String> known, boolean lenient, Fields fields) throws IOException {
        var seen = new HashSet<String>();
        for (var name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
            if (!known.contains(name)) {
                if (!lenient) {
                    throw Rejected.invalid(path(), path() + ": there is no such field");
                }
                parser.nextToken();
                parser.skipChildren();
                continue;
            }
            if (!seen.add(name)) {
                throw Rejected.invalid(path(), path() + ": given twice");
            }
            if (parser.nextToken() != JsonToken.VALUE_NULL) {
                fields.read(name, this);
            }
        }
        if (parser.currentToken() != JsonToken.END_OBJECT) {
            throw Rejected.invalid(null, "malformed JSON");
        }
    }

    /// An object whose names are the caller's own, at most `most` of them. `each` reads each value.
    public void entries(int most, Fields each) throws IOException {
        expect(JsonToken.START_OBJECT, "an object");
        var field = path();
        var seen = new HashSet<String>();
        for (var name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
            if (!seen.add(name)) {
                throw Rejected.invalid(path(), path() + ": given twice");
            }
            if (seen.size() > most) {
                throw Rejected.invalid(field, field + ": has at most " + most + " entries");
            }
            if (parser.nextToken() != JsonToken.VALUE_NULL) {
                each.read(name, this);
            }
        }
    }

    public Map<String, String> strings(int most) throws IOException {
        var values = new LinkedHashMap<String, String>();
        entries(most, (name, value) -> values.put(name, value.string()));
        return values;
    }

    /// An array of at most `most` strings.
    public List<String> list(int most) throws IOException {
        expect(JsonToken.START_ARRAY, "an array of strings");
        var field = path();
        var values = new ArrayList<String>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (values.size() == most) {
                throw Rejected.invalid(field, field + ": has at most " + most + " elements");
            }
            values.add(string());
        }
        return values;
    }

    /// Reads one element of an array.
    @FunctionalInterface
    public interface Element {
        void read(JsonInput value) throws IOException;
    }

    /// An array of at most `most` values, each of which `each` reads.
    public void elements(int most, Element each) throws IOException {
        expect(JsonToken.START_ARRAY, "an array");
        var field = path();
        for (var count = 0; parser.nextToken() != JsonToken.END_ARRAY; count++) {
            if (count == most) {
                throw Rejected.invalid(field, field + ": has at most " + most + " elements");
            }
            each.read(this);
        }
    }

    public String string() throws IOException {
        expect(JsonToken.VALUE_STRING, "a string");
        var text = parser.getText();
        for (var index = 0; index < text.length(); index++) {
            if (Character.isSurrogate(text.charAt(index))) {
                if (!Character.isSurrogatePair(
                        text.charAt(index), index + 1 < text.length() ? text.charAt(index + 1) : 0)) {
                    throw wrong("must not contain half of a surrogate pair");
                }
                index++;
            }
        }
        return text;
    }

    public boolean bool() {
        return switch (parser.currentToken()) {
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            default -> throw wrong("must be true or false");
        };
    }

    public boolean isString() {
        return parser.currentToken() == JsonToken.VALUE_STRING;
    }

    public boolean isNumber() {
        return parser.currentToken().isNumeric();
    }

    /// The number as it is written.
    public String number() throws IOException {
        if (!isNumber()) {
            throw wrong("must be a number");
        }
        return parser.getText();
    }

    /// A refusal of the value read last, or of the one about to be read.
    public Rejected wrong(String detail) {
        return Rejected.invalid(path(), path() + ": " + detail);
    }

    /// Where in the body this is: `limits.memory`, `command[3]`.
    public String path() {
        var path = new StringBuilder();
        append(path, parser.getParsingContext());
        return path.toString();
    }

    private void append(StringBuilder path, JsonStreamContext at) {
        var within = at.getParent();
        if (within == null) {
            return;
        }
        append(path, within);
        if (at.inArray() && at.hasCurrentIndex()) {
            path.append('[').append(at.getCurrentIndex()).append(']');
        } else if (at.inObject() && at.hasCurrentName()) {
            path.append(path.isEmpty() ? "" : ".").append(at.getCurrentName());
        }
    }

    private void expect(JsonToken token, String name) {
        if (parser.currentToken() != token) {
            throw wrong("must be " + name);
        }
    }
}
