package dev.bobbin.image.archive;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.MediaTypes;
import java.io.IOException;

/// `meta.json`, which says what an archive of minibox holds: one image.
final class MiniboxTable {
    static final String NAME = "meta.json";

    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private MiniboxTable() {}

    /// Its name, and where its manifest is.
    record Row(String name, Digest manifest) {}

    static Row parse(byte[] raw) {
        try {
            var document = MAPPER.readTree(raw);
            var name = document.path("image").asText();
            if (name.isEmpty()) {
                throw ImageException.invalid("meta.json of the archive names no image");
            }
            return new Row(
                    name, new Digest("sha256", document.path("manifest_digest").asText()));
        } catch (IOException | IllegalArgumentException e) {
            throw ImageException.invalid("meta.json of the archive does not say what the archive holds");
        }
    }

    /// The media type that a manifest gives itself, which an archive of minibox does not tell.
    static String mediaType(byte[] manifest) {
        try {
            return MAPPER.readTree(manifest).path("mediaType").asText(MediaTypes.OCI_MANIFEST);
        } catch (IOException e) {
            throw ImageException.invalid("the manifest of the archive is not JSON");
        }
    }

    static byte[] bytes(ArchivedImage image) throws IOException {
        var document = MAPPER.createObjectNode();
        document.put("image", image.names().getFirst());
        document.put("manifest_digest", image.manifest().digest().hex());
        return MAPPER.writeValueAsBytes(document);
    }
}
