package dev.bobbin.runner.net;

import dev.bobbin.runner.net.dns.QueryResult;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/// Counts what networks of sandboxes do. Every series exists from the start. Safe for many threads, but [#denied].
final class NetworkMeters {
    private final Map<String, Counter> denied = new HashMap<>();
    private final Map<QueryResult, Counter> queries = new EnumMap<>(QueryResult.class);
    /// What the kernel's counters said last.
    private Map<String, Long> seen = Map.of();

    NetworkMeters(MeterRegistry meters, Members members) {
        Gauge.builder("bobbin.network.addresses", members, all -> all.all().size())
                .description("Addresses of the bridge that sandboxes have")
                .register(meters);
        for (var reason : Rules.DENIALS) {
            denied.put(
                    reason,
                    Counter.builder("bobbin.network.denied.packets")
                            .description("Packets from and to sandboxes that were not let through, by why")
                            .tags("reason", reason)
                            .register(meters));
        }
        for (var result : QueryResult.values()) {
            queries.put(
                    result,
                    Counter.builder("bobbin.dns.queries")
                            .description("Questions for names that sandboxes asked, by what became of them")
                            .tags("result", result.name().toLowerCase(Locale.ROOT))
                            .register(meters));
        }
    }

    void asked(QueryResult result) {
        Objects.requireNonNull(queries.get(result), "every result is counted").increment();
    }

    /// The kernel's counters say this. For one thread.
    void denied(Map<String, Long> packets) {
        denied.forEach((reason, counter) -> {
            long now = packets.getOrDefault(reason, 0L);
            long before = seen.getOrDefault(reason, 0L);
            counter.increment((double) (now < before ? now : now - before));
        });
        seen = Map.copyOf(packets);
    }

    /// The kernel counts from nothing again. For one thread.
    void countedAnew() {
        seen = Map.of();
    }
}
