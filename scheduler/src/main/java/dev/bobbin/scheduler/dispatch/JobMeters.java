package dev.bobbin.scheduler.dispatch;

import dev.bobbin.runner.Ending;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.StartTimeline.Path;
import dev.bobbin.runner.StartTimeline.Phase;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import java.util.stream.Stream;

/// The numbers about jobs. Every series exists from the start, so that a first event is an increase and not an
/// appearance; no label ever holds an id.
final class JobMeters {
    private static final List<String> KINDS = List.of("run", "exec", "build");
    private static final List<Path> PATHS = List.of(Path.PARKED, Path.COLD, Path.ENTERED);

    /// One of each, for the words of their causes.
    private static final List<Outcome> OUTCOMES = List.of(
            new Outcome.Exited(0),
            new Outcome.Killed(0, ""),
            new Outcome.OutOfMemory("", "", 0),
            new Outcome.TimedOut(""),
            new Outcome.OutputLimit(),
            new Outcome.Cancelled(""),
            new Outcome.HostLost(),
            new Outcome.ImageError(""),
            new Outcome.SandboxError(""));

    private static final Duration[] START_BUCKETS = Stream.of(
                    100,
                    250,
                    500,
                    1_000,
                    2_000,
                    5_000,
                    10_000,
                    25_000,
                    50_000,
                    100_000,
                    250_000,
                    500_000,
                    1_000_000,
                    2_500_000,
                    10_000_000)
            .map(micros -> Duration.of(micros, java.time.temporal.ChronoUnit.MICROS))
            .toArray(Duration[]::new);

    private static final Duration[] DURATION_BUCKETS = Stream.of(
                    1, 2, 5, 10, 25, 60, 150, 400, 1_000, 2_500, 6_000, 15_000, 40_000, 100_000, 250_000, 600_000,
                    1_500_000, 3_600_000)
            .map(Duration::ofMillis)
            .toArray(Duration[]::new);

    private final AtomicInteger running = new AtomicInteger();
    private final Map<String, Counter> submitted = new HashMap<>();
    private final Map<String, Timer> durations = new HashMap<>();
    private final Map<String, Map<String, Counter>> ended = new HashMap<>();
    private final Map<Path, Map<Phase, Timer>> phases = new HashMap<>();

    JobMeters(MeterRegistry meters, IntSupplier waiting) {
        for (var kind : KINDS) {
            submitted.put(
                    kind,
                    Counter.builder("bobbin.jobs.submitted")
                            .description("Jobs asked for, refused ones included")
                            .tags("kind", kind, "queue", "none")
                            .register(meters));
            durations.put(
                    kind,
                    Timer.builder("bobbin.job.duration")
                            .description("Time from acceptance to the end of a job")
                            .tags("kind", kind)
                            .serviceLevelObjectives(DURATION_BUCKETS)
                            .register(meters));
            var causes = new HashMap<String, Counter>();
            for (var outcome : OUTCOMES) {
                causes.put(
                        outcome.cause(),
                        Counter.builder("bobbin.jobs.ended")
                                .description("Jobs that ended, by cause")
                                .tags("kind", kind, "cause", outcome.cause())
                                .register(meters));
            }
            ended.put(kind, causes);
        }
        for (var path : PATHS) {
            var timers = new HashMap<Phase, Timer>();
            for (var phase : Phase.values()) {
                timers.put(
                        phase,
                        Timer.builder("bobbin.start.phase")
                                .description("Time from acceptance to the end of a phase of the start")
                                .tags("phase", phase.word(), "path", path.word())
                                .serviceLevelObjectives(START_BUCKETS)
                                .register(meters));
            }
            phases.put(path, timers);
        }
        Gauge.builder("bobbin.jobs", running::get)
                .description("Jobs accepted here that have not ended")
                .tags("state", "running", "queue", "none")
                .register(meters);
        Gauge.builder("bobbin.jobs", waiting::getAsInt)
                .description("Jobs accepted here that have not ended")
                .tags("state", "waiting", "queue", "none")
                .register(meters);
    }

    /// Whether work of this kind is counted among jobs.
    static boolean counts(String kind) {
        return KINDS.contains(kind);
    }

    void submitted(String kind) {
        var counter = submitted.get(kind);
        if (counter != null) {
            counter.increment();
        }
    }

    void started() {
        running.incrementAndGet();
    }

    void ended(String kind, Ending ending) {
        running.decrementAndGet();
        var counter = ended.getOrDefault(kind, Map.of()).get(ending.outcome().cause());
        if (counter != null) {
            counter.increment();
        }
        var timeline = ending.timeline();
        var duration = durations.get(kind);
        if (duration != null) {
            duration.record(System.nanoTime() - timeline.acceptedNanos(), TimeUnit.NANOSECONDS);
        }
        record(timeline);
    }

    private void record(StartTimeline timeline) {
        phases.getOrDefault(timeline.path(), Map.of())
                .forEach((phase, timer) ->
                        timeline.micros(phase).ifPresent(micros -> timer.record(micros, TimeUnit.MICROSECONDS)));
    }
}
