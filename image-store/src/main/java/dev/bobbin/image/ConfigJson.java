package dev.bobbin.image;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The JSON shape of an [ImageConfig], OCI's and Docker's.
final class ConfigJson {
    private ConfigJson() {}

    static ImageConfig read(byte[] raw) {
        var document = Json.object(raw, "image configuration");
        var run = Json.child(document, "config").orElseGet(Json::make);
        return new ImageConfig(
                environment(Json.texts(run, "Env")),
                Json.texts(run, "Entrypoint"),
                Json.texts(run, "Cmd"),
                notEmpty(run, "User").orElse("root"),
                workdir(notEmpty(run, "WorkingDir").orElse("/")),
                notEmpty(run, "StopSignal").orElse(null),
                Json.keys(run, "Volumes"),
                Json.keys(run, "ExposedPorts"),
                Json.map(run, "Labels"),
                Json.child(run, "Healthcheck").map(JsonNode::toString).orElse(null),
                Json.texts(run, "Shell"),
                Json.texts(run, "OnBuild"),
                origin(document));
    }

    static byte[] write(ImageConfig config) {
        var document = Json.make();
        var origin = config.origin();
        put(document, "created", origin.created());
        document.put("architecture", origin.platform().architecture());
        if (!origin.platform().variant().isEmpty()) {
            document.put("variant", origin.platform().variant());
        }
        document.put("os", origin.platform().os());
        writeRun(document.putObject("config"), config);
        var rootfs = document.putObject("rootfs");
        rootfs.put("type", "layers");
        var diffIds = rootfs.putArray("diff_ids");
        origin.diffIds().forEach(id -> diffIds.add(id.text()));
        if (!origin.history().isEmpty()) {
            var history = document.putArray("history");
            origin.history().forEach(step -> writeStep(history.addObject(), step));
        }
        return Json.bytes(document);
    }

    private static void writeRun(ObjectNode run, ImageConfig config) {
        put(run, "User", config.user().equals("root") ? "" : config.user());
        keys(run, "ExposedPorts", config.exposedPorts());
        if (!config.environment().isEmpty()) {
            var all = run.putArray("Env");
            config.environment().forEach((name, value) -> all.add(name + "=" + value));
        }
        texts(run, "Entrypoint", config.entrypoint());
        texts(run, "Cmd", config.command());
        keys(run, "Volumes", config.volumes());
        put(run, "WorkingDir", config.workdir().equals("/") ? "" : config.workdir());
        if (!config.labels().isEmpty()) {
            var all = run.putObject("Labels");
            config.labels().forEach(all::put);
        }
        var stopSignal = config.stopSignal();
        put(run, "StopSignal", stopSignal == null ? "" : stopSignal);
        texts(run, "Shell", config.shell());
        texts(run, "OnBuild", config.onBuild());
        var healthcheck = config.healthcheck();
        if (healthcheck != null) {
            run.set(
                    "Healthcheck",
                    Json.object(healthcheck.getBytes(java.nio.charset.StandardCharsets.UTF_8), "health check"));
        }
    }

    private static void writeStep(ObjectNode node, ImageConfig.Step step) {
        put(node, "created", step.created());
        put(node, "created_by", step.createdBy());
        put(node, "author", step.author());
        put(node, "comment", step.comment());
        if (step.emptyLayer()) {
            node.put("empty_layer", true);
        }
    }

    private static ImageConfig.Origin origin(JsonNode document) {
        var rootfs = Json.child(document, "rootfs").orElseGet(Json::make);
        return new ImageConfig.Origin(
                new Platform(
                        notEmpty(document, "os").orElse("linux"),
                        notEmpty(document, "architecture").orElse("unknown"),
                        Json.text(document, "variant").orElse("")),
                instant(document),
                Json.texts(rootfs, "diff_ids").stream().map(Json::digest).toList(),
                Json.list(document, "history", ConfigJson::step));
    }

    private static ImageConfig.Step step(JsonNode node) {
        return new ImageConfig.Step(
                instant(node),
                Json.text(node, "created_by").orElse(""),
                Json.text(node, "author").orElse(""),
                Json.text(node, "comment").orElse(""),
                node.path("empty_layer").asBoolean(false));
    }

    /// Entries without a name are passed over, those without a value are empty; of two of one name the later counts.
    private static Map<String, String> environment(List<String> entries) {
        var all = new LinkedHashMap<String, String>();
        for (var entry : entries) {
            var equals = entry.indexOf('=');
            var name = equals < 0 ? entry : entry.substring(0, equals);
            if (entry.indexOf('\0') >= 0) {
                throw ImageException.invalid("image configuration has a variable with a zero byte");
            }
            if (!name.isEmpty()) {
                all.put(name, equals < 0 ? "" : entry.substring(equals + 1));
            }
        }
        return all;
    }

    private static String workdir(String text) {
        if (text.indexOf('\0') >= 0) {
            throw ImageException.invalid("image configuration has a working directory with a zero byte");
        }
        return text.startsWith("/") ? text : "/" + text;
    }

    private static @Nullable Instant instant(JsonNode node) {
        try {
            return notEmpty(node, "created")
                    .map(OffsetDateTime::parse)
                    .map(OffsetDateTime::toInstant)
                    .orElse(null);
        } catch (DateTimeException e) {
            throw ImageException.invalid("image configuration has a time that is none");
        }
    }

    private static Optional<String> notEmpty(JsonNode node, String field) {
        return Json.text(node, field).filter(text -> !text.isEmpty());
    }

    private static void put(ObjectNode node, String field, @Nullable Object value) {
        if (value != null && !value.toString().isEmpty()) {
            node.put(field, value.toString());
        }
    }

    private static void texts(ObjectNode node, String field, List<String> values) {
        if (!values.isEmpty()) {
            values.forEach(node.putArray(field)::add);
        }
    }

    private static void keys(ObjectNode node, String field, List<String> values) {
        if (!values.isEmpty()) {
            var all = node.putObject(field);
            values.forEach(all::putObject);
        }
    }
}
