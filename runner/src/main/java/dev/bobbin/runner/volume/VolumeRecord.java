package dev.bobbin.runner.volume;

import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.Volume;
import dev.bobbin.runner.sandbox.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// What `volume.json` says of a volume. Written once, in a directory that nobody knows yet.
final class VolumeRecord {
    private static final long VERSION = 1;

    private VolumeRecord() {}

    static void write(Volume volume, Path file) throws IOException {
        var out = new LinkedHashMap<String, @Nullable Object>();
        out.put("version", VERSION);
        out.put("id", volume.id().toString());
        out.put("tenant", volume.tenant());
        out.put("name", volume.name());
        out.put("labels", volume.labels());
        out.put("created_millis", volume.createdAt().toEpochMilli());
        out.put("bytes", volume.bytes());
        out.put("project", (long) volume.project());
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, Json.write(out));
    }

    /// @throws IOException if it cannot be read, is damaged or of a newer version
    static Volume read(Path file) throws IOException {
        try {
            var in = Json.readObject(Files.readString(file));
            if (!Objects.equals(in.get("version"), VERSION)) {
                throw new IOException(
                        "a volume's record of version " + in.get("version") + "; this server reads version " + VERSION);
            }
            var labels = new LinkedHashMap<String, String>();
            ((Map<?, ?>) Objects.requireNonNull(in.get("labels"), "labels"))
                    .forEach((name, text) -> labels.put((String) name, (String) text));
            return new Volume(
                    SandboxId.parse(text(in, "id")).orElseThrow(() -> new IllegalArgumentException("id")),
                    text(in, "tenant"),
                    text(in, "name"),
                    labels,
                    Instant.ofEpochMilli((Long) Objects.requireNonNull(in.get("created_millis"), "created_millis")),
                    number(in, "bytes"),
                    Math.toIntExact(number(in, "project")));
        } catch (IllegalArgumentException | NullPointerException | ClassCastException e) {
            throw new IOException(file + " cannot be understood: " + e.getMessage(), e);
        }
    }

    /// 0 if a server wrote it that knew of no sizes.
    private static long number(Map<String, @Nullable Object> in, String name) {
        return in.get(name) instanceof Long number ? number : 0;
    }

    private static String text(Map<String, @Nullable Object> in, String name) {
        return (String) Objects.requireNonNull(in.get(name), name);
    }
}
