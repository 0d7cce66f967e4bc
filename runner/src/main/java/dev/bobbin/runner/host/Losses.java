package dev.bobbin.runner.host;

import dev.bobbin.runner.Ending;
import dev.bobbin.runner.Job.OutputPolicy;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Counts what jobs lost to their limits on this host: processes to the want of memory, output to a full journal.
/// Every series exists from the start.
final class Losses {
    private final Map<String, Counter> oomKills = new HashMap<>();
    private final Map<OutputPolicy, Counter> droppedBytes = new HashMap<>();

    Losses(MeterRegistry meters) {
        for (var level : List.of("job", "host")) {
            oomKills.put(
                    level,
                    Counter.builder("bobbin.oom.kills")
                            .description("Processes that the kernel killed for want of memory, by whose memory was out")
                            .tags("level", level)
                            .register(meters));
        }
        for (var policy : List.of(OutputPolicy.DROP, OutputPolicy.BLOCK)) {
            droppedBytes.put(
                    policy,
                    Counter.builder("bobbin.stream.dropped.bytes")
                            .description(
                                    "Output let go of to keep journals within their limit; of block, after all had it")
                            .tags("policy", policy.name().toLowerCase(Locale.ROOT))
                            .register(meters));
        }
    }

    void ended(OutputPolicy policy, Ending ending) {
        var usage = ending.usage();
        var kills = oomKills.get(usage.oomLevel());
        if (kills != null) {
            kills.increment((double) usage.oomKills());
        }
        var dropped = droppedBytes.get(policy);
        if (dropped != null && usage.droppedBytes() > 0) {
            dropped.increment((double) usage.droppedBytes());
        }
    }
}
