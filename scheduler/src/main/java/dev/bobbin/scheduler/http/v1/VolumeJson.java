package dev.bobbin.scheduler.http.v1;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.bobbin.runner.Mount;
import dev.bobbin.runner.Volume;
import java.io.IOException;
import java.util.List;

/// Volumes and mounts as JSON.
final class VolumeJson {
    private VolumeJson() {}

    /// @param users who uses it, each as `sandbox ID` or `job ID`
    static void write(JsonGenerator json, Volume volume, List<String> users) throws IOException {
        json.writeStartObject();
        json.writeStringField("id", volume.id().toString());
        json.writeStringField("name", volume.name());
        json.writeStringField("created_at", volume.createdAt().toString());
        JobJson.labels(json, volume.labels());
        json.writeArrayFieldStart("used_by");
        for (var user : users) {
            json.writeString(user);
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    /// `"mounts": […]`, as a request has them.
    static void mounts(JsonGenerator json, List<Mount> mounts) throws IOException {
        json.writeArrayFieldStart("mounts");
        for (var mount : mounts) {
            json.writeStartObject();
            switch (mount) {
                case Mount.Volume volume -> source(json, "volume", volume.name());
                case Mount.Bind bind -> source(json, "bind", bind.source());
                case Mount.Tmpfs tmpfs -> {
                    json.writeStringField("type", "tmpfs");
                    if (tmpfs.bytes() > 0) {
                        json.writeNumberField("size", tmpfs.bytes());
                    }
                }
            }
            json.writeStringField("target", mount.target());
            json.writeBooleanField("read_only", mount.readOnly());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void source(JsonGenerator json, String type, String source) throws IOException {
        json.writeStringField("type", type);
        json.writeStringField("source", source);
    }
}
