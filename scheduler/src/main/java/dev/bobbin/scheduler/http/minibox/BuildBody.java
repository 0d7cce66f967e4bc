package dev.bobbin.scheduler.http.minibox;

import dev.bobbin.scheduler.http.exchange.JsonInput;
import dev.bobbin.scheduler.http.exchange.Rejected;
import java.io.IOException;
import java.util.Set;

/// The body of `POST /containers/build`.
final class BuildBody {
    private static final Set<String> FIELDS = Set.of("image", "minibox", "context");

    private String image = "";
    private String recipe = "";
    private String context = "";

    private BuildBody() {}

    static BuildBody read(byte[] body) {
        var read = new BuildBody();
        try {
            JsonInput.readFirstObject(body, FIELDS, read::field);
        } catch (Rejected _) {
            throw Plain.bad("Invalid request");
        }
        if (read.recipe.isBlank()) {
            throw Plain.bad("MiniBox content is required");
        }
        return read;
    }

    private void field(String field, JsonInput value) throws IOException {
        switch (field) {
            case "image" -> image = value.string();
            case "minibox" -> recipe = value.string();
            default -> context = value.string();
        }
    }

    String image() {
        return image;
    }

    /// The text of the MiniBox file.
    String recipe() {
        return recipe;
    }

    /// Path of a directory of this machine.
    String context() {
        return context;
    }
}
