package dev.bobbin.benchmarks;

import dev.bobbin.runner.StartTimeline;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// Collects timelines of jobs and says the median of each phase.
final class Phases {
    private final Map<StartTimeline.Phase, List<Long>> micros = new EnumMap<>(StartTimeline.Phase.class);

    void add(StartTimeline timeline) {
        for (var phase : StartTimeline.Phase.values()) {
            timeline.micros(phase)
                    .ifPresent(value -> micros.computeIfAbsent(phase, _ -> new ArrayList<>())
                            .add(value));
        }
    }

    void print() {
        var line = new StringBuilder("median microseconds since accepted:");
        micros.forEach((phase, values) -> {
            var sorted = values.stream().sorted().toList();
            line.append(' ').append(phase.word()).append(' ').append(sorted.get(sorted.size() / 2));
        });
        System.out.println(line);
    }
}
