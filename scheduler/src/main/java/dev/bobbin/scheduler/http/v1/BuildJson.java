package dev.bobbin.scheduler.http.v1;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.PullProgress;
import dev.bobbin.runner.BuildEvent;
import dev.bobbin.runner.BuildEvent.Kind;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What became of a build, as JSON: its steps, each with its state and how long it took, and the digest of the image.
final class BuildJson {
    private final Map<String, BuildEvent> steps = new LinkedHashMap<>();
    private final Map<String, String> titles = new LinkedHashMap<>();
    private @Nullable String digest;
    private @Nullable String problem;

    void happened(BuildEvent event) {
        switch (event.kind()) {
            case STARTED, CACHED, DONE, CANCELLED -> step(event);
            case FAILED -> {
                if (event.step().isEmpty()) {
                    problem = event.text();
                } else {
                    step(event);
                }
            }
            case FINISHED -> digest = event.text();
            case NOTE, EXPORTING -> {}
        }
    }

    private void step(BuildEvent event) {
        if (event.kind() != Kind.FAILED) {
            titles.putIfAbsent(event.step(), event.text());
        }
        steps.put(event.step(), event);
    }

    /// `"digest"`, `"problem"` and `"steps"`, if it is a build.
    void writeTo(JsonGenerator json) throws IOException {
        if (steps.isEmpty() && digest == null && problem == null) {
            return;
        }
        if (digest != null) {
            json.writeStringField("digest", digest);
        }
        if (problem != null) {
            json.writeStringField("problem", problem);
        }
        json.writeArrayFieldStart("steps");
        for (var event : steps.values()) {
            json.writeStartObject();
            json.writeStringField("step", event.step());
            json.writeStringField("title", titles.getOrDefault(event.step(), ""));
            json.writeStringField("state", word(event.kind()));
            json.writeNumberField("millis", event.millis());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    /// The members of a `progress` frame.
    static void event(JsonGenerator json, BuildEvent event) throws IOException {
        json.writeStringField("state", word(event.kind()));
        if (!event.step().isEmpty()) {
            json.writeStringField("step", event.step());
        }
        var name = switch (event.kind()) {
            case STARTED, CACHED, DONE, CANCELLED -> "title";
            case FAILED -> "problem";
            case NOTE -> "note";
            case EXPORTING -> "image";
            case FINISHED -> "digest";
        };
        json.writeStringField(name, event.text());
        if (event.kind() != Kind.STARTED && event.kind() != Kind.NOTE && event.kind() != Kind.EXPORTING) {
            json.writeNumberField("millis", event.millis());
        }
    }

    /// The members of a `progress` frame about a base that is brought.
    static void pulling(JsonGenerator json, ImageReference base, PullProgress step) throws IOException {
        json.writeStringField("state", "pulling");
        json.writeStringField("image", base.text());
        switch (step) {
            case PullProgress.Resolving _ -> json.writeStringField("phase", "resolving");
            case PullProgress.Resolved resolved -> {
                json.writeStringField("phase", "resolved");
                json.writeStringField("digest", resolved.manifest().text());
                json.writeNumberField("layers", resolved.layers());
            }
            case PullProgress.LayerProgress layer -> {
                json.writeStringField("phase", "transferring");
                json.writeStringField("layer", layer.digest().text());
                json.writeNumberField("bytes", layer.transferredBytes());
                json.writeNumberField("total_bytes", layer.totalBytes());
            }
            case PullProgress.LayerUnpacked layer -> {
                json.writeStringField("phase", "unpacked");
                json.writeStringField("layer", layer.digest().text());
            }
            case PullProgress.LayerExists layer -> {
                json.writeStringField("phase", "exists");
                json.writeStringField("layer", layer.digest().text());
            }
            case PullProgress.Done done -> {
                json.writeStringField("phase", "done");
                json.writeStringField("digest", done.digest().text());
            }
        }
    }

    private static String word(Kind kind) {
        return kind.name().toLowerCase(Locale.ROOT);
    }
}
