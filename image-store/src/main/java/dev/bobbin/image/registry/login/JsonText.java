package dev.bobbin.image.registry.login;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.Optional;

/// JSON objects that servers, files and helper programs give.
public final class JsonText {
    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(
                            StreamReadConstraints.builder().maxNestingDepth(50).build())
                    .build())
            .build();

    private JsonText() {}

    /// The object that `bytes` are, or nothing. What was wrong is not told: the text may hold secrets.
    public static Optional<JsonNode> object(byte[] bytes) {
        try {
            return Optional.ofNullable(MAPPER.readTree(bytes)).filter(JsonNode::isObject);
        } catch (JsonProcessingException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new IllegalStateException("bytes in memory are always read", e);
        }
    }

    /// A string field that is not empty.
    public static Optional<String> text(JsonNode node, String field) {
        var value = node.get(field);
        return value == null || !value.isTextual() || value.textValue().isEmpty()
                ? Optional.empty()
                : Optional.of(value.textValue());
    }
}
