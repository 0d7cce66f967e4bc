package dev.bobbin.scheduler.http.v1;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Rights;
import dev.bobbin.runner.Sysctls;
import dev.bobbin.runner.host.LastingSandbox;
import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/// A sandbox as JSON.
final class SandboxJson {
    private SandboxJson() {}

    /// All there is to say of it. `env` and `files` are not: they may hold secrets.
    static void write(JsonGenerator json, LastingSandbox sandbox) throws IOException {
        json.writeStartObject();
        json.writeStringField("id", sandbox.id().toString());
        if (sandbox.name().isPresent()) {
            json.writeStringField("name", sandbox.name().get());
        }
        json.writeArrayFieldStart("aliases");
        for (var alias : sandbox.aliases()) {
            json.writeString(alias);
        }
        json.writeEndArray();
        json.writeStringField("state", sandbox.state().word());
        if (sandbox.problem().isPresent()) {
            json.writeStringField("problem", sandbox.problem().get());
        }
        json.writeStringField("image", sandbox.image().text());
        JobJson.command(json, sandbox.command());
        var pid = sandbox.pid();
        if (pid.isPresent()) {
            json.writeNumberField("pid", pid.getAsLong());
        }
        json.writeStringField("created_at", instant(sandbox.createdAt()));
        if (sandbox.expiresAt().isPresent()) {
            json.writeStringField("expires_at", instant(sandbox.expiresAt().get()));
        }
        if (sandbox.idleTimeout().isPresent()) {
            json.writeNumberField("idle_timeout", sandbox.idleTimeout().get().toMillis() / 1000.0);
        }
        JobJson.lastingLimits(json, sandbox.limits());
        JobJson.unenforcedLimits(json, sandbox.unenforcedLimits());
        JobJson.labels(json, sandbox.labels());
        VolumeJson.mounts(json, sandbox.mounts());
        NetworkJson.write(json, sandbox);
        sysctls(json, sandbox.sysctls());
        JobJson.seccomp(json, sandbox.seccomp());
        rights(json, sandbox.rights());
        execs(json, sandbox);
        lastRun(json, sandbox);
        json.writeEndObject();
    }

    /// As exactly as it is kept, so that it is the same after a restart.
    private static String instant(Instant instant) {
        return instant.truncatedTo(ChronoUnit.MILLIS).toString();
    }

    /// `"sysctls": {…}`, as a request has them; nothing if there are none.
    private static void sysctls(JsonGenerator json, Sysctls sysctls) throws IOException {
        if (sysctls.values().isEmpty()) {
            return;
        }
        json.writeObjectFieldStart("sysctls");
        for (var each : sysctls.values().entrySet()) {
            json.writeStringField(each.getKey(), each.getValue());
        }
        json.writeEndObject();
    }

    /// As a request has them; nothing of what all have.
    private static void rights(JsonGenerator json, Rights rights) throws IOException {
        if (rights.newPrivileges()) {
            json.writeBooleanField("allow_new_privileges", true);
        }
        if (rights.capabilities().isEmpty()) {
            return;
        }
        json.writeObjectFieldStart("capabilities");
        json.writeArrayFieldStart("add");
        for (var word : rights.words()) {
            json.writeString(word);
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    /// `"execs": […]`: jobs that run in it now.
    private static void execs(JsonGenerator json, LastingSandbox sandbox) throws IOException {
        json.writeArrayFieldStart("execs");
        for (var exec : sandbox.execs()) {
            json.writeString(exec.id().toString());
        }
        json.writeEndArray();
    }

    /// The job of its own process, and how that ended if it has.
    private static void lastRun(JsonGenerator json, LastingSandbox sandbox) throws IOException {
        var own = sandbox.own();
        if (own.isEmpty()) {
            return;
        }
        json.writeStringField("job", own.get().id().toString());
        var ending = own.flatMap(Execution::ending);
        if (ending.isPresent()) {
            JobJson.outcome(json, ending.get().outcome());
            JobJson.usage(json, ending.get());
        }
    }
}
