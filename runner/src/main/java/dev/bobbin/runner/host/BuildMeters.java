package dev.bobbin.runner.host;

import dev.bobbin.runner.BuildEvent;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.build.BuildCache;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// The numbers about builds. Every series exists from the start.
final class BuildMeters {
    private static final Duration[] BUCKETS = Stream.of(
                    1, 2, 5, 10, 25, 60, 150, 400, 1_000, 2_500, 6_000, 15_000, 40_000, 100_000, 250_000, 600_000,
                    1_500_000, 3_600_000)
            .map(Duration::ofMillis)
            .toArray(Duration[]::new);

    private final Map<Result, Timer> builds = new EnumMap<>(Result.class);
    private final Map<BuildEvent.Kind, Timer> steps = new EnumMap<>(BuildEvent.Kind.class);
    private final Map<String, Counter> looks = new HashMap<>();

    /// What became of a build.
    enum Result {
        DONE,
        /// Nothing ran: the recipe, the files or a base cannot be.
        REFUSED,
        FAILED,
        CANCELLED,
        /// This machine could not.
        ERROR
    }

    BuildMeters(MeterRegistry meters, BuildUploads uploads, BuildCache cache) {
        for (var result : Result.values()) {
            builds.put(
                    result,
                    Timer.builder("bobbin.build.duration")
                            .description("Time of builds whose files were received, by what became of them")
                            .tag("result", word(result))
                            .serviceLevelObjectives(BUCKETS)
                            .register(meters));
        }
        step(BuildEvent.Kind.CACHED, "cached", meters);
        step(BuildEvent.Kind.DONE, "executed", meters);
        step(BuildEvent.Kind.FAILED, "failed", meters);
        step(BuildEvent.Kind.CANCELLED, "cancelled", meters);
        for (var result : new String[] {"hit", "miss"}) {
            looks.put(
                    result,
                    Counter.builder("bobbin.build.cache")
                            .description("Steps that were looked for in the build cache")
                            .tag("result", result)
                            .register(meters));
        }
        Gauge.builder("bobbin.build.cache.bytes", cache, kept -> kept.usage().bytes())
                .description("What the build cache keeps: layers, compressed and unpacked, and mounted caches")
                .register(meters);
        Gauge.builder("bobbin.build.cache.entries", cache, kept -> kept.usage().entries())
                .description("Steps and mounted caches that the build cache knows")
                .register(meters);
        uploads(meters, uploads);
    }

    private void step(BuildEvent.Kind kind, String result, MeterRegistry meters) {
        steps.put(
                kind,
                Timer.builder("bobbin.build.step")
                        .description("Time of the steps of builds, by what became of them")
                        .tag("result", result)
                        .serviceLevelObjectives(BUCKETS)
                        .register(meters));
    }

    private static void uploads(MeterRegistry meters, BuildUploads uploads) {
        FunctionCounter.builder("bobbin.build.context", uploads, BuildUploads::received)
                .description("Files received to be built of")
                .baseUnit("bytes")
                .register(meters);
        FunctionCounter.builder("bobbin.build.uploads.refused", uploads, BuildUploads::refused)
                .description("Builds turned away since their tenant has as much under way as it may")
                .register(meters);
        Gauge.builder("bobbin.build.uploads", uploads, BuildUploads::count)
                .description("Builds whose files are here or on their way")
                .register(meters);
        Gauge.builder("bobbin.build.uploads.bytes", uploads, BuildUploads::bytes)
                .description("What the files of builds under way take")
                .register(meters);
    }

    private static String word(Result result) {
        return result.name().toLowerCase(Locale.ROOT);
    }

    /// The end of one that ran.
    void ended(Outcome outcome, long nanos) {
        ended(
                switch (outcome) {
                    case Outcome.Exited(var code) -> code == 0 ? Result.DONE : Result.FAILED;
                    case Outcome.Cancelled _ -> Result.CANCELLED;
                    case Outcome.SandboxError _, Outcome.ImageError _, Outcome.HostLost _ -> Result.ERROR;
                    case Outcome.Killed _, Outcome.OutOfMemory _, Outcome.TimedOut _, Outcome.OutputLimit _ ->
                        Result.FAILED;
                },
                nanos);
    }

    void ended(Result result, long nanos) {
        var timer = builds.get(result);
        if (timer != null) {
            timer.record(nanos, TimeUnit.NANOSECONDS);
        }
    }

    void happened(BuildEvent event) {
        var timer = steps.get(event.kind());
        if (timer != null && !event.step().isEmpty()) {
            timer.record(event.millis(), TimeUnit.MILLISECONDS);
        }
        var look = looks.get(
                switch (event.kind()) {
                    case CACHED -> "hit";
                    case STARTED -> "miss";
                    default -> "";
                });
        if (look != null) {
            look.increment();
        }
    }
}
