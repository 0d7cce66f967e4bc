package dev.bobbin.scheduler.http.minibox;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.host.LastingSandbox;
import java.io.IOException;
import java.util.Optional;

/// A container as the list has it.
final class ContainerJson {
    /// Notes that a container carries of what it was called, where a sandbox cannot be called so.
    static final String NAME = "minibox.name";

    static final String PROJECT = "minibox.project";

    private ContainerJson() {}

    /// Clients take for granted that `image` and `status` are strings and `pid` is a number.
    ///
    /// @param health as far as it is looked after
    static void write(JsonGenerator json, LastingSandbox sandbox, Optional<String> health) throws IOException {
        var running = Containers.isRunning(sandbox);
        json.writeStartObject();
        json.writeStringField("id", Containers.id(sandbox));
        json.writeStringField("image", sandbox.image().text());
        json.writeArrayFieldStart("command");
        for (var argument : sandbox.command()) {
            json.writeString(argument);
        }
        json.writeEndArray();
        json.writeNumberField("pid", running ? sandbox.pid().orElse(0) : 0);
        json.writeStringField("status", running ? "running" : "exited");
        text(json, "health", health);
        json.writeStringField("created_at", sandbox.createdAt().toString());
        json.writeNumberField("exit_code", Containers.exitCode(sandbox));
        ports(json, sandbox.network());
        text(json, "name", name(sandbox));
        text(json, "project", project(sandbox));
        var address = sandbox.address();
        if (address.isPresent()) {
            json.writeStringField("ip", address.get().getHostAddress());
        }
        json.writeEndObject();
    }

    private static void ports(JsonGenerator json, Network network) throws IOException {
        if (!(network instanceof Network.Bridge bridge) || bridge.ports().isEmpty()) {
            return;
        }
        json.writeObjectFieldStart("ports");
        for (var port : bridge.ports()) {
            json.writeStringField(Integer.toString(port.hostPort()), Integer.toString(port.port()));
        }
        json.writeEndObject();
    }

    static Optional<String> name(LastingSandbox sandbox) {
        return sandbox.name().or(() -> note(sandbox, NAME));
    }

    static Optional<String> project(LastingSandbox sandbox) {
        return note(sandbox, PROJECT).or(() -> project(sandbox.network()));
    }

    private static Optional<String> note(LastingSandbox sandbox, String label) {
        return Optional.ofNullable(sandbox.labels().get(label));
    }

    private static Optional<String> project(Network network) {
        return network instanceof Network.Bridge bridge ? Optional.ofNullable(bridge.project()) : Optional.empty();
    }

    private static void text(JsonGenerator json, String field, Optional<String> text) throws IOException {
        if (text.isPresent()) {
            json.writeStringField(field, text.get());
        }
    }
}
