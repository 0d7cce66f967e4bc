package dev.bobbin.scheduler.http.v1;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.bobbin.runner.Ending;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.StartTimeline;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// The parts of a job as JSON.
final class JobJson {
    static final String RUNNING = "running";
    static final String ENDED = "ended";

    private JobJson() {}

    /// `"outcome": {…}`
    static void outcome(JsonGenerator json, Outcome outcome) throws IOException {
        json.writeObjectFieldStart("outcome");
        json.writeStringField("cause", outcome.cause());
        if (outcome.exitCode() >= 0) {
            json.writeNumberField("exit_code", outcome.exitCode());
        }
        switch (outcome) {
            case Outcome.Exited _, Outcome.HostLost _ -> {}
            case Outcome.Killed killed -> {
                json.writeStringField("signal", Signals.name(killed.signal()));
                json.writeStringField("by", killed.by());
            }
            case Outcome.OutOfMemory memory -> {
                if (memory.victim().equals("main")) {
                    json.writeStringField("signal", "SIGKILL");
                }
                json.writeStringField("level", memory.level());
                json.writeStringField("victim", memory.victim());
            }
            case Outcome.TimedOut time -> {
                json.writeStringField("signal", "SIGKILL");
                json.writeStringField("limit", time.limit());
            }
            case Outcome.OutputLimit _ -> {
                json.writeStringField("signal", "SIGKILL");
                json.writeStringField("limit", "output");
            }
            case Outcome.Cancelled cancelled -> {
                json.writeStringField("signal", "SIGKILL");
                json.writeStringField("by", cancelled.by());
            }
            case Outcome.ImageError image -> json.writeStringField("detail", image.detail());
            case Outcome.SandboxError sandbox -> json.writeStringField("detail", sandbox.detail());
        }
        json.writeEndObject();
    }

    /// `"usage": {…}`; what is not known is absent.
    static void usage(JsonGenerator json, Ending ending) throws IOException {
        json.writeObjectFieldStart("usage");
        known(json, "cpu_user_micros", ending.usage().cpuUserMicros());
        known(json, "cpu_system_micros", ending.usage().cpuSystemMicros());
        known(json, "throttled_periods", ending.usage().throttledPeriods());
        known(json, "throttled_micros", ending.usage().throttledMicros());
        known(json, "memory_peak_bytes", ending.usage().memoryPeakBytes());
        known(json, "oom_kills", ending.usage().oomKills());
        if (!ending.usage().oomLevel().isEmpty()) {
            json.writeStringField("oom_level", ending.usage().oomLevel());
        }
        known(json, "disk_bytes", ending.usage().diskBytes());
        known(json, "disk_inodes", ending.usage().diskInodes());
        known(json, "stdin_bytes", ending.usage().stdinBytes());
        json.writeNumberField("stdout_bytes", ending.stdout().bytes());
        json.writeNumberField("stderr_bytes", ending.stderr().bytes());
        known(json, "dropped_bytes", ending.usage().droppedBytes());
        json.writeEndObject();
    }

    /// `"limits": {…}` of a job.
    private static void limits(JsonGenerator json, Limits limits) throws IOException {
        json.writeObjectFieldStart("limits");
        use(json, limits);
        json.writeNumberField("time", limits.time().toMillis() / 1000.0);
        amounts(json, limits);
        json.writeEndObject();
    }

    /// `"limits": {…}` of what may go on for ever.
    static void lastingLimits(JsonGenerator json, Limits limits) throws IOException {
        json.writeObjectFieldStart("limits");
        use(json, limits);
        amounts(json, limits);
        json.writeEndObject();
    }

    private static void use(JsonGenerator json, Limits limits) throws IOException {
        json.writeNumberField("memory", limits.memoryBytes());
        if (limits.cpus() > 0) {
            json.writeNumberField("cpus", limits.cpus());
        }
        json.writeNumberField("pids", limits.pids());
        if (!limits.cpuset().isEmpty()) {
            json.writeStringField("cpuset", limits.cpuset());
        }
        unlessNone(json, "cpu_weight", limits.cpuWeight());
        unlessNone(json, "nofile", limits.openFiles());
        var io = limits.io();
        if (!io.equals(Limits.Io.UNLIMITED)) {
            json.writeObjectFieldStart("io");
            unlessNone(json, "read_bps", io.readBytes());
            unlessNone(json, "write_bps", io.writeBytes());
            unlessNone(json, "read_iops", io.readOperations());
            unlessNone(json, "write_iops", io.writeOperations());
            json.writeEndObject();
        }
    }

    private static void unlessNone(JsonGenerator json, String field, long value) throws IOException {
        if (value > 0) {
            json.writeNumberField(field, value);
        }
    }

    private static void amounts(JsonGenerator json, Limits limits) throws IOException {
        json.writeNumberField("output", limits.outputBytes());
        json.writeNumberField("disk", limits.diskBytes());
    }

    /// `"unenforced_limits": […]` where this machine cannot keep all of them, else nothing.
    static void unenforcedLimits(JsonGenerator json, Set<String> names) throws IOException {
        if (names.isEmpty()) {
            return;
        }
        json.writeArrayFieldStart("unenforced_limits");
        for (var name : new TreeSet<>(names)) {
            json.writeString(name);
        }
        json.writeEndArray();
    }

    /// `"crc32c": {…}`: whoever has as many bytes as `usage` says and finds the same sums has everything.
    static void sums(JsonGenerator json, Ending ending) throws IOException {
        json.writeObjectFieldStart("crc32c");
        json.writeStringField("stdout", String.format("%08x", ending.stdout().crc32c()));
        json.writeStringField("stderr", String.format("%08x", ending.stderr().crc32c()));
        json.writeEndObject();
    }

    /// `"timeline": {…}`: microseconds since accepted; a phase that was not reached is absent.
    static void timeline(JsonGenerator json, StartTimeline timeline) throws IOException {
        json.writeObjectFieldStart("timeline");
        json.writeStringField("path", timeline.path().word());
        for (var phase : StartTimeline.Phase.values()) {
            var micros = timeline.micros(phase);
            if (micros.isPresent()) {
                json.writeNumberField(phase.word(), micros.getAsLong());
            }
        }
        json.writeEndObject();
    }

    /// The timeline as one header value: `path=parked admit=12 place=14 …`.
    static String timelineHeader(StartTimeline timeline) {
        var text = new StringBuilder("path=").append(timeline.path().word());
        for (var phase : StartTimeline.Phase.values()) {
            timeline.micros(phase)
                    .ifPresent(micros ->
                            text.append(' ').append(phase.word()).append('=').append(micros));
        }
        return text.toString();
    }

    /// The word for whether it runs.
    static String stateOf(Execution job) {
        return job.ending().isPresent() ? ENDED : RUNNING;
    }

    /// The whole answer to "how is this job".
    static void state(JsonGenerator json, Execution job) throws IOException {
        var ending = job.ending();
        json.writeStartObject();
        json.writeStringField("id", job.id().toString());
        json.writeStringField("kind", job.kind());
        json.writeStringField("state", ending.isPresent() ? ENDED : RUNNING);
        json.writeStringField("image", job.image().text());
        sandbox(json, job);
        command(json, job.command());
        json.writeBooleanField("terminal", job.hasTerminal());
        labels(json, job.labels());
        NetworkJson.write(json, job);
        seccomp(json, job.seccomp());
        json.writeStringField("created_at", job.createdAt().toString());
        json.writeStringField("on_disconnect", job.onDisconnect().name().toLowerCase(Locale.ROOT));
        if (job.limits().isPresent()) {
            limits(json, job.limits().get());
        }
        unenforcedLimits(json, job.unenforcedLimits());
        if (ending.isPresent()) {
            outcome(json, ending.get().outcome());
            usage(json, ending.get());
            sums(json, ending.get());
        }
        timeline(json, job.timeline());
        json.writeEndObject();
    }

    /// `"sandbox": "…"` for a job that runs in one that lasts, else nothing.
    static void sandbox(JsonGenerator json, Execution job) throws IOException {
        if (job.sandbox().isPresent()) {
            json.writeStringField("sandbox", job.sandbox().get().toString());
        }
    }

    /// `"seccomp": "…"` where a profile was asked for, else nothing.
    static void seccomp(JsonGenerator json, Optional<String> profile) throws IOException {
        if (profile.isPresent()) {
            json.writeStringField("seccomp", profile.get());
        }
    }

    /// `"command": […]`
    static void command(JsonGenerator json, List<String> command) throws IOException {
        json.writeArrayFieldStart("command");
        for (var argument : command) {
            json.writeString(argument);
        }
        json.writeEndArray();
    }

    /// `"labels": {…}`
    static void labels(JsonGenerator json, Map<String, String> labels) throws IOException {
        json.writeObjectFieldStart("labels");
        for (var label : labels.entrySet()) {
            json.writeStringField(label.getKey(), label.getValue());
        }
        json.writeEndObject();
    }

    private static void known(JsonGenerator json, String field, long value) throws IOException {
        if (value >= 0) {
            json.writeNumberField(field, value);
        }
    }
}
