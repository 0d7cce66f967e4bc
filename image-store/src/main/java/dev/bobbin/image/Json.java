package dev.bobbin.image;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// Reads the JSON documents of strangers: bounded, one meaning each (a key stands once, nothing follows the document),
/// and of the shape that is asked for, or INVALID.
final class Json {
    static final int LONGEST = 4 * 1024 * 1024;

    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(100)
                            .maxNumberLength(100)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private Json() {}

    /// The document, an object.
    ///
    /// @param what names it in messages
    static JsonNode object(byte[] raw, String what) {
        if (raw.length > LONGEST) {
            throw ImageException.invalid(what + " is longer than " + LONGEST + " bytes");
        }
        try {
            var node = MAPPER.readTree(raw);
            if (node == null || !node.isObject()) {
                throw ImageException.invalid(what + " is not a JSON object");
            }
            return node;
        } catch (JsonProcessingException e) {
            throw ImageException.invalid(what + " is not JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw ImageException.invalid(what + " is not JSON");
        }
    }

    static Optional<String> text(JsonNode node, String field) {
        return field(node, field, JsonNode::isTextual, "a string").map(JsonNode::textValue);
    }

    static String requireText(JsonNode node, String field) {
        return text(node, field).orElseThrow(() -> ImageException.invalid(field + " is missing"));
    }

    static Optional<JsonNode> child(JsonNode node, String field) {
        return field(node, field, JsonNode::isObject, "an object");
    }

    static <T> List<T> list(JsonNode node, String field, Function<JsonNode, T> element) {
        var all = new ArrayList<T>();
        field(node, field, JsonNode::isArray, "a list")
                .ifPresent(list -> list.forEach(one -> all.add(element.apply(one))));
        return all;
    }

    static List<String> texts(JsonNode node, String field) {
        return list(node, field, Json::textOf);
    }

    static Map<String, String> map(JsonNode node, String field) {
        var all = new LinkedHashMap<String, String>();
        child(node, field)
                .ifPresent(map -> map.properties().forEach(one -> all.put(one.getKey(), textOf(one.getValue()))));
        return all;
    }

    static List<String> keys(JsonNode node, String field) {
        var all = new ArrayList<String>();
        child(node, field).ifPresent(map -> map.fieldNames().forEachRemaining(all::add));
        return all;
    }

    static long requireSize(JsonNode node, String field) {
        var size = node.get(field);
        if (size == null || !size.isIntegralNumber() || !size.canConvertToLong() || size.longValue() < 0) {
            throw ImageException.invalid(field + " is not a number of bytes");
        }
        return size.longValue();
    }

    static Digest digest(String text) {
        try {
            return Digest.parse(text);
        } catch (IllegalArgumentException e) {
            throw ImageException.invalid(String.valueOf(e.getMessage()));
        }
    }

    static ObjectNode make() {
        return JsonNodeFactory.instance.objectNode();
    }

    static byte[] bytes(JsonNode node) {
        try {
            return MAPPER.writeValueAsBytes(node);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree is always written", e);
        }
    }

    private static String textOf(JsonNode node) {
        if (!node.isTextual()) {
            throw ImageException.invalid("a string is expected where there is " + node.getNodeType());
        }
        return node.textValue();
    }

    private static Optional<JsonNode> field(
            JsonNode node, String field, Function<JsonNode, Boolean> shape, String expected) {
        var value = node.get(field);
        if (value == null || value.isNull()) {
            return Optional.empty();
        }
        if (!shape.apply(value)) {
            throw ImageException.invalid(field + " is not " + expected);
        }
        return Optional.of(value);
    }
}
