package dev.bobbin.scheduler.http.minibox;

import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Command;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Stdin;
import dev.bobbin.runner.host.LastingSandbox;
import dev.bobbin.scheduler.dispatch.Dispatcher;
import dev.bobbin.scheduler.tenant.Caller;
import dev.bobbin.scheduler.tenant.Scope;
import dev.bobbin.scheduler.tenant.Tenant;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Looks after containers whose images say how: a command that is run in them at intervals, with their own rights and
/// within their limits, and ends with 0 if all is well.
final class HealthChecks implements AutoCloseable {
    private static final String COMMAND = "mini.healthcheck.cmd";
    private static final String INTERVAL = "mini.healthcheck.interval";
    /// Between the words of the command.
    private static final String SEPARATOR = "\u001f";

    private static final long USUAL_SECONDS = 30;
    private static final long MOST_SECONDS = 3600;
    /// How soon it is seen that a run has ended.
    private static final long LOOK_SECONDS = 5;
    private static final Duration LONGEST = Duration.ofSeconds(30);
    private static final long OUTPUT_BYTES = 64 * 1024;

    private final Dispatcher dispatcher;
    private final Map<JobId, String> health = new ConcurrentHashMap<>();
    private final CountDownLatch closed = new CountDownLatch(1);

    HealthChecks(Dispatcher dispatcher) {
        this.dispatcher = dispatcher;
    }

    /// Looks after the run that is now, unless somebody does already or its image does not ask for it.
    void watch(LastingSandbox container) {
        var command = container.imageLabels().get(COMMAND);
        var run = container.own().filter(own -> own.ending().isEmpty());
        if (command == null || command.isEmpty() || run.isEmpty()) {
            return;
        }
        var id = run.get().id();
        if (health.putIfAbsent(id, "starting") == null) {
            Thread.ofVirtual().name("health-" + container.id()).start(() -> check(container, id, command));
        }
    }

    /// `starting`, `healthy` or `unhealthy`; `none` if it does not run; nothing if its image asks for no checks.
    Optional<String> of(LastingSandbox container) {
        if (!container.imageLabels().containsKey(COMMAND)) {
            return Optional.empty();
        }
        return Optional.of(container
                .own()
                .filter(own -> own.ending().isEmpty())
                .map(own -> health.getOrDefault(own.id(), "none"))
                .orElse("none"));
    }

    private void check(LastingSandbox container, JobId run, String command) {
        try {
            while (waits(container, run)) {
                var isWell = isWell(container, command);
                if (runs(container, run)) {
                    health.put(run, isWell ? "healthy" : "unhealthy");
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } finally {
            health.remove(run);
        }
    }

    /// Whether it still runs, and somebody asks, when its interval is over.
    private boolean waits(LastingSandbox container, JobId run) throws InterruptedException {
        for (var left = seconds(container); left > 0; left -= LOOK_SECONDS) {
            if (closed.await(Math.min(left, LOOK_SECONDS), TimeUnit.SECONDS) || !runs(container, run)) {
                return false;
            }
        }
        return true;
    }

    private static boolean runs(LastingSandbox container, JobId run) {
        return container
                .own()
                .filter(own -> own.id().equals(run) && own.ending().isEmpty())
                .isPresent();
    }

    private static long seconds(LastingSandbox container) {
        try {
            var seconds = Long.parseLong(container.imageLabels().getOrDefault(INTERVAL, ""));
            return seconds > 0 ? Math.min(seconds, MOST_SECONDS) : USUAL_SECONDS;
        } catch (NumberFormatException _) {
            return USUAL_SECONDS;
        }
    }

    private boolean isWell(LastingSandbox container, String command) throws InterruptedException {
        var owner = new Caller(new Tenant(container.tenant()), Set.of(Scope.RUN));
        var probe = new Job.Exec(
                JobId.next(),
                container.tenant(),
                container.id(),
                Command.of(List.of("/bin/sh", "-c", command.replace(SEPARATOR, " "))),
                new Stdin.Empty(),
                LONGEST,
                OUTPUT_BYTES,
                Job.OnDisconnect.KILL,
                Job.OutputPolicy.DROP,
                Map.of(),
                null);
        return switch (dispatcher.start(probe, owner)) {
            case Attempt.Refused _ -> false;
            case Attempt.Accepted accepted -> {
                try (var execution = accepted.execution()) {
                    yield execution.await().outcome().exitCode() == 0;
                }
            }
        };
    }

    @Override
    public void close() {
        closed.countDown();
    }
}
