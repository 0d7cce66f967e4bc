package dev.bobbin.scheduler.dispatch;

import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.RequestKey;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.StartTimeline.Phase;
import dev.bobbin.runner.build.PlannedBuild;
import dev.bobbin.runner.host.Builds;
import dev.bobbin.runner.host.HostRuntime;
import dev.bobbin.scheduler.admission.Admission;
import dev.bobbin.scheduler.admission.Admission.Stay;
import dev.bobbin.scheduler.admission.Ticket;
import dev.bobbin.scheduler.cluster.SingleHostCluster;
import dev.bobbin.scheduler.placement.Candidate;
import dev.bobbin.scheduler.placement.Placement;
import dev.bobbin.scheduler.tenant.Caller;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Door of the scheduler: admits a job, finds it a host, starts it there, and finds it again later.
public final class Dispatcher implements AutoCloseable {
    private static final String BUILD = "build";
    /// A job that lives longer is no longer measured against the cost of a thread.
    private static final long SHORT_MILLIS = 200;
    /// How often young jobs are looked through. One look for all: an alarm for each would wake a thread for each.
    private static final long LOOK_MILLIS = 100;

    private final Admission admission;
    private final Placement placement = new Placement();
    private final SingleHostCluster cluster;
    private final HostRuntime runtime;
    private final HostLink here;
    private final JobMeters meters;
    private final SandboxDirectory sandboxes;
    private final PublishConfig publish;
    private final Turns turns = new Turns();
    private final Set<DispatchedExecution> young = ConcurrentHashMap.newKeySet();
    private final ScheduledThreadPoolExecutor timer;

    /// A dispatcher that starts jobs on `runtime`, and counts those that it found running.
    ///
    /// @param publish where callers who are no administrators may publish ports
    public Dispatcher(
            Admission admission,
            SingleHostCluster cluster,
            HostRuntime runtime,
            PublishConfig publish,
            MeterRegistry registry) {
        this.publish = publish;
        this.admission = admission;
        this.cluster = cluster;
        this.runtime = runtime;
        this.here = new HostLink.LocalHost(runtime);
        this.meters = new JobMeters(registry, admission::waiting);
        runtime.sandboxes().admitBy(new SandboxAdmission(admission));
        this.sandboxes = new SandboxDirectory(runtime, cluster, publish, turns);
        this.timer = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().daemon().name("dispatch-timer").factory());
        var _ = timer.scheduleWithFixedDelay(this::attendGrown, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
        runtime.recovered().forEach(this::readmit);
    }

    /// Counts a job that an earlier server started. What a sandbox runs of its own is no job that ends.
    private void readmit(Execution execution) {
        var kind = execution.kind();
        if (!JobMeters.counts(kind)) {
            return;
        }
        meters.started();
        var place = execution.sandbox().isPresent()
                ? Optional.<Ticket>empty()
                : Optional.of(admission.readmit(Stay.PASSING, execution.limits().orElse(Limits.DEFAULT)));
        new DispatchedExecution(execution, ending -> {
                    place.ifPresent(Ticket::close);
                    meters.ended(kind, ending);
                })
                .attend();
    }

    /// Starts a job for a caller, waiting in line if it must. If its key has begun one already, that is the answer. An
    /// accepted execution must be closed by whoever asked, which leaves it running.
    public Attempt start(Job job, Caller caller) throws InterruptedException {
        if (!caller.sees(job.tenant())) {
            throw new IllegalArgumentException("a job belongs to a tenant that its caller sees");
        }
        if (job.key() == null) {
            return begin(job, caller);
        }
        try (var _ = turns.take(job.key())) {
            var earlier = used(job.key(), caller);
            return earlier.isPresent() ? earlier.get() : begin(job, caller);
        }
    }

    /// The turn of a key, for one who has something to do before [#start] that nobody else with it should; waits for
    /// it.
    public Turn turn(@Nullable RequestKey key) throws InterruptedException {
        return turns.take(key);
    }

    /// What a job's key has begun, if it was used before: that job, or why the key is no good. Waits for those who are
    /// beginning something with it.
    public Optional<Attempt> earlier(@Nullable RequestKey key, Caller caller) throws InterruptedException {
        try (var _ = turns.take(key)) {
            return used(key, caller);
        }
    }

    private Optional<Attempt> used(@Nullable RequestKey key, Caller caller) throws InterruptedException {
        var use = key == null ? Optional.<RequestKey.Use>empty() : runtime.use(key);
        if (use.isEmpty()) {
            return Optional.empty();
        }
        if (!use.get().key().equals(key)) {
            return Optional.of(new Attempt.Refused(KeyRefusal.reused()));
        }
        return switch (use.get()) {
            case RequestKey.Use.ByJob began ->
                Optional.of(find(began.id(), caller)
                        .<Attempt>map(Attempt.Accepted::new)
                        .orElseGet(() -> new Attempt.Refused(KeyRefusal.spent("job " + began.id()))));
            case RequestKey.Use.BySandbox _ -> Optional.of(new Attempt.Refused(KeyRefusal.reused()));
        };
    }

    private Attempt begin(Job job, Caller caller) throws InterruptedException {
        var timeline = StartTimeline.begin();
        meters.submitted(job.kind());
        if (job instanceof Job.Exec exec) {
            return enter(exec, timeline);
        }
        if (job instanceof Job.Run run) {
            var forbidden = MountRights.refusal(run.mounts(), caller, runtime)
                    .or(() -> NetworkRights.refusal(run.isolation().network(), caller, publish));
            if (forbidden.isPresent()) {
                return new Attempt.Refused(forbidden.get());
            }
        }
        if (placement.rank(job, cluster.view()) instanceof Placement.Ranking.NoneFits none) {
            return neverFits(none);
        }
        return switch (admission.enter(Stay.PASSING, limits(job))) {
            case Admission.Entry.TurnedAway away -> new Attempt.Refused(away.refusal());
            case Admission.Entry.Admitted in -> {
                timeline.stamp(Phase.ADMIT);
                yield place(job, timeline, in.ticket());
            }
        };
    }

    /// What this host keeps and knows of builds.
    public Builds builds() {
        return runtime.builds();
    }

    /// Starts a build, waiting in line if it must; if its key has begun a job already, that is the answer. It is closed
    /// unless it begins.
    ///
    /// @param key of the request that asks for it; `null` for none
    public Attempt build(PlannedBuild build, Job.OnDisconnect onDisconnect, @Nullable RequestKey key, Caller caller)
            throws InterruptedException {
        var accepted = false;
        try (var _ = turns.take(key)) {
            var earlier = used(key, caller);
            if (earlier.isPresent()) {
                return earlier.get();
            }
            var attempt = admit(build, onDisconnect, key, caller);
            accepted = attempt instanceof Attempt.Accepted;
            return attempt;
        } finally {
            if (!accepted) {
                close(build);
            }
        }
    }

    private static void close(PlannedBuild build) {
        try {
            build.close();
        } catch (IOException e) {
            throw new UncheckedIOException("let go of a build", e);
        }
    }

    private Attempt admit(PlannedBuild build, Job.OnDisconnect onDisconnect, @Nullable RequestKey key, Caller caller)
            throws InterruptedException {
        var order = build.order();
        if (!caller.sees(order.tenant())) {
            throw new IllegalArgumentException("a build belongs to a tenant that its caller sees");
        }
        var timeline = StartTimeline.begin();
        meters.submitted(BUILD);
        var forbidden = NetworkRights.refusal(order.network(), caller, publish);
        if (forbidden.isPresent()) {
            return new Attempt.Refused(forbidden.get());
        }
        return switch (admission.enter(Stay.PASSING, order.limits())) {
            case Admission.Entry.TurnedAway away -> new Attempt.Refused(away.refusal());
            case Admission.Entry.Admitted in -> {
                timeline.stamp(Phase.ADMIT);
                timeline.stamp(Phase.PLACE);
                var attempt = runtime.builds().start(build, onDisconnect, key, timeline);
                if (attempt instanceof Attempt.Accepted(var execution)) {
                    meters.started();
                    yield new Attempt.Accepted(follow(BUILD, execution, in.ticket()::close));
                }
                in.ticket().close();
                yield attempt;
            }
        };
    }

    /// An exec uses what its sandbox has been given, so it neither waits nor is placed.
    private Attempt enter(Job.Exec exec, StartTimeline timeline) throws InterruptedException {
        timeline.path(StartTimeline.Path.ENTERED);
        timeline.stamp(Phase.ADMIT);
        return switch (here.start(exec, timeline)) {
            case Attempt.Refused refused -> refused;
            case Attempt.Accepted accepted -> {
                meters.started();
                yield new Attempt.Accepted(follow(exec.kind(), accepted.execution(), () -> {}));
            }
        };
    }

    private static Attempt neverFits(Placement.Ranking.NoneFits none) {
        return new Attempt.Refused(new Refusal(Refusal.Reason.NO_HOST_FITS, none.detail(), none.field()));
    }

    private static Limits limits(Job job) {
        return switch (job) {
            case Job.Run run -> run.limits();
            case Job.Exec _ -> throw new IllegalArgumentException("an exec has its place already: its sandbox's");
        };
    }

    /// The sandboxes that last.
    public SandboxDirectory sandboxes() {
        return sandboxes;
    }

    /// The job of this id if it exists for the caller.
    public Optional<Execution> find(JobId id, Caller caller) throws InterruptedException {
        return here.find(id).filter(execution -> caller.sees(execution.tenant()));
    }

    /// The jobs of the caller's tenant that are known, the newest first.
    public List<Execution> list(Caller caller) throws InterruptedException {
        return runtime.jobs(caller.tenant().name());
    }

    /// Turns everybody away from now on.
    public void drain() {
        admission.drain();
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }

    private Attempt place(Job job, StartTimeline timeline, Ticket ticket) throws InterruptedException {
        var taken = false;
        try {
            var attempt = switch (placement.rank(job, cluster.view())) {
                case Placement.Ranking.NoneFits none -> neverFits(none);
                case Placement.Ranking.Candidates candidates -> {
                    timeline.stamp(Phase.PLACE);
                    yield ask(candidates.hosts(), job, timeline);
                }
            };
            return switch (attempt) {
                case Attempt.Refused refused -> refused;
                case Attempt.Accepted accepted -> {
                    taken = true;
                    meters.started();
                    yield new Attempt.Accepted(follow(job.kind(), accepted.execution(), ticket::close));
                }
            };
        } finally {
            if (!taken) {
                ticket.close();
            }
        }
    }

    /// The chosen host decides; one that is full only sends the job to the next.
    private Attempt ask(List<Candidate> candidates, Job job, StartTimeline timeline) throws InterruptedException {
        Attempt answer = new Attempt.Refused(new Refusal(Refusal.Reason.HOST_FULL, "every host is full; try again"));
        for (var _ : candidates) {
            answer = here.start(job, timeline);
            if (!(answer instanceof Attempt.Refused refused)
                    || refused.refusal().reason() != Refusal.Reason.HOST_FULL) {
                return answer;
            }
        }
        return answer;
    }

    private Execution follow(String kind, Execution execution, Runnable release) {
        var dispatched = new DispatchedExecution(execution, ending -> {
            release.run();
            meters.ended(kind, ending);
        });
        young.add(dispatched);
        return dispatched;
    }

    private void attendGrown() {
        var before = System.nanoTime() - TimeUnit.MILLISECONDS.toNanos(SHORT_MILLIS);
        young.removeIf(dispatched -> dispatched.attendIfAcceptedBefore(before));
    }
}
