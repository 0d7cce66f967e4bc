package dev.bobbin.image.archive;

import static dev.bobbin.image.ImageException.invalid;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// Docker's table of contents of an archive, `manifest.json`.
final class DockerTable {
    private static final JsonMapper MAPPER = new JsonMapper(JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(100).build())
            .build());

    private DockerTable() {}

    static List<Row> parse(byte[] raw) {
        var document = tree(raw, "manifest.json");
        var rows = new ArrayList<Row>();
        for (var row : document) {
            rows.add(new Row(text(row.path("Config")), texts(row.path("RepoTags")), texts(row.path("Layers"))));
        }
        if (!document.isArray() || rows.isEmpty()) {
            throw invalid("manifest.json of the archive lists no image");
        }
        return rows;
    }

    /// The digests of the uncompressed layers that a configuration names, lowest first.
    static List<String> diffIds(byte[] configuration) {
        return texts(tree(configuration, "configuration").path("rootfs").path("diff_ids"));
    }

    static byte[] bytes(List<Row> rows) throws IOException {
        var document = MAPPER.createArrayNode();
        for (var row : rows) {
            var one = document.addObject();
            one.put("Config", row.config);
            fill(one.putArray("RepoTags"), row.names);
            fill(one.putArray("Layers"), row.layers);
        }
        return MAPPER.writeValueAsBytes(document);
    }

    private static void fill(ArrayNode array, List<String> texts) {
        texts.forEach(array::add);
    }

    private static JsonNode tree(byte[] raw, String what) {
        try {
            return MAPPER.readTree(raw);
        } catch (IOException e) {
            throw invalid(what + " of the archive is not JSON");
        }
    }

    private static List<String> texts(JsonNode node) {
        var texts = new ArrayList<String>();
        node.forEach(one -> texts.add(text(one)));
        return texts;
    }

    private static String text(JsonNode node) {
        if (!node.isTextual()) {
            throw invalid("a document of the archive lacks a text where one must be");
        }
        return node.textValue();
    }

    /// One image: where its configuration and its layers are in the archive, and its names.
    record Row(String config, List<String> names, List<String> layers) {}
}
