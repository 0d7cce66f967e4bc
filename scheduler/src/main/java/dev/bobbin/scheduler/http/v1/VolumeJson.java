package dev.bobbin.scheduler.http.v1;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.bobbin.runner.Mount;
import dev.bobbin.runner.Volume;
import dev.bobbin.scheduler.dispatch.VolumeDirectory;
import java.io.IOException;
import java.util.List;

/// Volumes and mounts as JSON.
final class VolumeJson {
    private VolumeJson() {}

    /// Its size, what is in it where that is counted, and who uses it.
    static void write(JsonGenerator json, Volume volume, VolumeDirectory volumes) throws IOException {
        json.writeStartObject();
        json.writeStringField("id", volume.id().toString());
        json.writeStringField("name", volume.name());
        json.writeStringField("created_at", volume.createdAt().toString());
        JobJson.labels(json, volume.labels());
        if (volume.bytes() > 0) {
            json.writeNumberField("size", volume.bytes());
        }
        var used = volumes.used(volume);
        if (used.isPresent()) {
            json.writeNumberField("used_bytes", used.get().bytes());
            json.writeNumberField("used_inodes", used.get().inodes());
        }
        JobJson.unenforcedLimits(json, volumes.unenforcedLimits(volume));
        json.writeArrayFieldStart("used_by");
        for (var user : volumes.users(volume)) {
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
