package dev.bobbin.image;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.TreeMap;

/// The JSON shape of a [Descriptor].
final class Descriptors {
    private Descriptors() {}

    static Descriptor read(JsonNode node) {
        if (!node.isObject()) {
            throw ImageException.invalid("a descriptor is not an object");
        }
        var platform = Json.child(node, "platform")
                .map(on -> new Platform(
                        Json.requireText(on, "os"),
                        Json.requireText(on, "architecture"),
                        Json.text(on, "variant").orElse("")));
        return new Descriptor(
                Json.requireText(node, "mediaType"),
                Json.digest(Json.requireText(node, "digest")),
                Json.requireSize(node, "size"),
                platform.orElse(null),
                Json.map(node, "annotations"),
                Json.texts(node, "urls"));
    }

    static ObjectNode write(Descriptor descriptor) {
        var node = Json.make();
        node.put("mediaType", descriptor.mediaType());
        node.put("digest", descriptor.digest().text());
        node.put("size", descriptor.size());
        var platform = descriptor.platform();
        if (platform != null) {
            var on = node.putObject("platform");
            on.put("os", platform.os());
            on.put("architecture", platform.architecture());
            if (!platform.variant().isEmpty()) {
                on.put("variant", platform.variant());
            }
        }
        write(node, descriptor.annotations());
        if (!descriptor.urls().isEmpty()) {
            descriptor.urls().forEach(node.putArray("urls")::add);
        }
        return node;
    }

    static void write(ObjectNode node, Map<String, String> annotations) {
        if (!annotations.isEmpty()) {
            var all = node.putObject("annotations");
            new TreeMap<>(annotations).forEach(all::put);
        }
    }

    /// Refuses a document that could be read as two kinds, or that is another kind than its sender says.
    ///
    /// @param declared what the Content-Type or the descriptor said
    /// @return the media type of the document
    static String mediaType(JsonNode document, String declared, String what) {
        var version = document.get("schemaVersion");
        if (version != null && version.intValue() == 1) {
            throw new ImageException(ImageProblem.UNSUPPORTED, what + " has schema version 1, which is obsolete");
        }
        if (version == null || !version.isInt() || version.intValue() != 2) {
            throw ImageException.invalid(what + " has no schemaVersion 2");
        }
        var own = Json.text(document, "mediaType").orElse(declared);
        if (!own.equals(declared)) {
            throw ImageException.invalid(what + " says it is " + own + ", and was sent as " + declared);
        }
        return own;
    }
}
