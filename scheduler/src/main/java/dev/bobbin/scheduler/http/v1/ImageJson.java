package dev.bobbin.scheduler.http.v1;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageManifest;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.PullProgress;
import dev.bobbin.image.store.Image;
import dev.bobbin.image.store.Pruned;
import dev.bobbin.scheduler.http.exchange.Problem;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The parts of an image as JSON.
final class ImageJson {
    private ImageJson() {}

    /// One line of a list.
    static void item(JsonGenerator json, Image image) throws IOException {
        json.writeStartObject();
        fields(json, image);
        json.writeEndObject();
    }

    /// All there is to say; variables of the environment by name only, since their values may be secrets.
    ///
    /// @param names all names of the same content that the caller sees
    static void whole(JsonGenerator json, Image image, List<ImageReference> names, @Nullable ImageManifest manifest)
            throws IOException {
        json.writeStartObject();
        fields(json, image);
        texts(json, "names", names.stream().map(ImageReference::text).toList());
        config(json, image.config());
        layers(json, image.config(), manifest);
        json.writeEndObject();
    }

    /// How far a pull or a push has come.
    static void progress(JsonGenerator json, PullProgress step) throws IOException {
        switch (step) {
            case PullProgress.Resolving resolving -> {
                json.writeStringField("step", "resolving");
                json.writeStringField("image", resolving.reference().text());
            }
            case PullProgress.Resolved resolved -> {
                json.writeStringField("step", "resolved");
                json.writeStringField("digest", resolved.manifest().text());
                json.writeNumberField("layers", resolved.layers());
            }
            case PullProgress.LayerProgress layer -> {
                json.writeStringField("step", "transferring");
                json.writeStringField("layer", layer.digest().text());
                json.writeNumberField("bytes", layer.transferredBytes());
                json.writeNumberField("total_bytes", layer.totalBytes());
            }
            case PullProgress.LayerUnpacked layer -> {
                json.writeStringField("step", "unpacked");
                json.writeStringField("layer", layer.digest().text());
            }
            case PullProgress.LayerExists layer -> {
                json.writeStringField("step", "exists");
                json.writeStringField("layer", layer.digest().text());
            }
            case PullProgress.Done done -> {
                json.writeStringField("step", "done");
                json.writeStringField("digest", done.digest().text());
            }
        }
    }

    /// Why nothing came of it, in a frame: what a problem document says.
    static void problem(JsonGenerator json, Problem problem) throws IOException {
        json.writeNumberField("status", problem.status());
        json.writeStringField("code", problem.code());
        json.writeStringField("detail", problem.detail());
        if (problem.field() != null) {
            json.writeStringField("field", problem.field());
        }
        if (problem.retryAfterSeconds() > 0) {
            json.writeNumberField("retry_after", problem.retryAfterSeconds());
        }
    }

    static void pruned(JsonGenerator json, Pruned pruned) throws IOException {
        json.writeStartObject();
        texts(json, "images", pruned.images().stream().map(ImageReference::text).toList());
        json.writeNumberField("layers", pruned.layers());
        json.writeNumberField("blobs", pruned.blobs());
        json.writeNumberField("freed_bytes", pruned.freedBytes());
        json.writeEndObject();
    }

    private static void fields(JsonGenerator json, Image image) throws IOException {
        var origin = image.config().origin();
        json.writeStringField("name", image.reference().text());
        if (!image.reference().isHost()) {
            json.writeStringField("digest", image.digest().text());
        }
        json.writeNumberField("size", image.size());
        json.writeNumberField("unpacked_size", image.unpackedBytes());
        json.writeStringField("platform", origin.platform().text());
        json.writeBooleanField("shared", image.owner().isEmpty());
        if (image.createdAt().isPresent()) {
            json.writeStringField("created_at", image.createdAt().get().toString());
        }
        if (!image.reference().isHost()) {
            json.writeStringField("pulled_at", image.pulledAt().toString());
            json.writeStringField("last_used_at", image.lastUsedAt().toString());
        }
        if (image.problem() != null) {
            json.writeStringField("problem", image.problem());
        }
    }

    private static void config(JsonGenerator json, ImageConfig config) throws IOException {
        json.writeObjectFieldStart("config");
        texts(json, "entrypoint", config.entrypoint());
        texts(json, "command", config.command());
        json.writeStringField("user", config.user());
        json.writeStringField("workdir", config.workdir());
        texts(json, "env", config.environment().keySet());
        if (config.stopSignal() != null) {
            json.writeStringField("stop_signal", config.stopSignal());
        }
        texts(json, "volumes", config.volumes());
        texts(json, "exposed_ports", config.exposedPorts());
        json.writeObjectFieldStart("labels");
        for (var label : config.labels().entrySet()) {
            json.writeStringField(label.getKey(), label.getValue());
        }
        json.writeEndObject();
        if (config.healthcheck() != null) {
            json.writeFieldName("healthcheck");
            json.writeRawValue(config.healthcheck());
        }
        json.writeEndObject();
    }

    private static void layers(JsonGenerator json, ImageConfig config, @Nullable ImageManifest manifest)
            throws IOException {
        json.writeArrayFieldStart("layers");
        if (manifest != null) {
            var diffIds = config.origin().diffIds();
            for (var index = 0; index < manifest.layers().size(); index++) {
                var layer = manifest.layers().get(index);
                json.writeStartObject();
                json.writeStringField("digest", layer.digest().text());
                if (index < diffIds.size()) {
                    json.writeStringField("diff_id", diffIds.get(index).text());
                }
                json.writeStringField("media_type", layer.mediaType());
                json.writeNumberField("size", layer.size());
                json.writeEndObject();
            }
        }
        json.writeEndArray();
    }

    private static void texts(JsonGenerator json, String field, Collection<String> texts) throws IOException {
        json.writeArrayFieldStart(field);
        for (var text : texts) {
            json.writeString(text);
        }
        json.writeEndArray();
    }
}
