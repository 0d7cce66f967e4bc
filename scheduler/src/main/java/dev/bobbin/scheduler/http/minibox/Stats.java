package dev.bobbin.scheduler.http.minibox;

import dev.bobbin.runner.Sample;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.host.LastingSandbox;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/// What a container uses: `GET /containers/stats`, one sample each time. What the machine does not count is 0.
final class Stats {
    private static final int MOST = 1024;

    private final Containers containers;
    private final Map<SandboxId, Seen> seen = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<SandboxId, Seen> eldest) {
            return size() > MOST;
        }
    };

    /// The time of processors that somebody was told, and when.
    private record Seen(Instant at, long micros) {}

    Stats(Containers containers) {
        this.containers = containers;
    }

    void stats(ServerRequest request, ServerResponse response) {
        var container = containers.required(request, "missing container id");
        var sample = container.sample().orElseThrow(() -> Plain.failed("container cgroup not found"));
        var percent = percent(container, sample);
        var limit = container.limits().memoryBytes();
        Plain.json(request, response, json -> {
            json.writeStartObject();
            json.writeStringField("id", Containers.id(container));
            json.writeNumberField("memory_usage", counted(sample.memory().bytes()));
            json.writeNumberField("memory_limit", containers.isWhole(limit) ? 0 : limit);
            json.writeNumberField("cpu_usage_usec", counted(sample.cpu().totalMicros()));
            json.writeNumberField("cpu_percent", percent);
            json.writeNumberField("pids", counted(sample.pids()));
            json.writeNumberField("net_input", counted(sample.network().inBytes()));
            json.writeNumberField("net_output", counted(sample.network().outBytes()));
            json.writeNumberField("block_input", counted(sample.block().inBytes()));
            json.writeNumberField("block_output", counted(sample.block().outBytes()));
            json.writeEndObject();
        });
    }

    /// Of one processor, since anybody asked last.
    private double percent(LastingSandbox container, Sample sample) {
        var now = new Seen(sample.at(), sample.cpu().totalMicros());
        Seen before;
        synchronized (seen) {
            before = seen.remove(container.id());
            seen.put(container.id(), now);
        }
        if (before == null) {
            return 0;
        }
        var elapsed = Duration.between(before.at(), now.at()).toNanos() / 1000;
        var used = now.micros() - before.micros();
        return elapsed <= 0 || used <= 0 ? 0 : 100.0 * used / elapsed;
    }

    private static long counted(long number) {
        return Math.max(0, number);
    }
}
