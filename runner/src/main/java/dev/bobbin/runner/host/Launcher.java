package dev.bobbin.runner.host;

import dev.bobbin.image.Identity;
import dev.bobbin.image.store.Rootfs;
import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Command;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.SandboxSpec;
import dev.bobbin.runner.SandboxState;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.StartTimeline.Phase;
import dev.bobbin.runner.Stdin;
import dev.bobbin.runner.cgroup.Cgroups;
import dev.bobbin.runner.net.Networks;
import dev.bobbin.runner.sandbox.MountOrder;
import dev.bobbin.runner.sandbox.Order;
import dev.bobbin.runner.sandbox.Sandbox;
import dev.bobbin.runner.sandbox.SandboxException;
import dev.bobbin.runner.sandbox.SandboxRecord;
import dev.bobbin.runner.wire.Fields;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Begins the processes of sandboxes that last, their own ones and those of execs, goes on with those that an earlier
/// server began, and listens to them until they have ended.
final class Launcher {
    private static final System.Logger LOG = System.getLogger(Launcher.class.getName());
    private static final int SIGKILL = 9;
    /// Of what work on files has answered.
    private static final long MOST_UNREAD = 4 << 20;

    private final Premises premises;

    Launcher(Premises premises) {
        this.premises = premises;
    }

    /// Makes a PID 1 and gives the order; returns when the sandbox's own process has begun, or ended.
    ///
    /// @param fresh what a new one is to be, its files included; `null` for one that ran before
    /// @param place at the gate; the sandbox's own if it is started
    /// @return why it may not be started at the moment
    Optional<Refusal> launch(
            LastingSandbox sandbox,
            @Nullable SandboxSpec fresh,
            JobId own,
            List<MountOrder> mounts,
            SandboxGate.Place place,
            StartTimeline timeline)
            throws InterruptedException, IOException {
        var life = sandbox.life();
        var previous = life.own();
        var claimed = life.claimStart(own, place);
        if (claimed.isEmpty()) {
            return Optional.empty();
        }
        var record = claimed.get();
        try {
            var spec = fresh == null ? record.spec() : fresh;
            var rootfs = sandbox.rootfs().orElseThrow();
            var user = spec.command().user();
            var network = spec.isolation().network();
            var identity = identity(rootfs, user)
                    .orElseThrow(() -> new SandboxException("find the user " + user + " in the image"));
            var taken = premises.warm().takeLasting(spec.id(), own, record.uidBase(), network);
            life.claimed(taken, premises.project(record));
            var answer = premises.networks().attach(spec.id(), spec.tenant(), names(record), network, taken.pid());
            if (answer instanceof Networks.Answer.Refused(var refusal)) {
                taken.sandbox().close();
                premises.destroy(spec.id());
                premises.sweep(spec.id());
                life.ended(null);
                return Optional.of(refusal);
            }
            var attachment = ((Networks.Answer.Ready) answer).attachment();
            tellNames(sandbox); // it may have another since
            var meta = JobMeta.of(spec, own, rootfs, premises.unenforcedLasting(life.record()), timeline, attachment);
            var execution = own(meta, taken.sandbox(), timeline, life::begun);
            enter(sandbox, taken.sandbox(), execution);
            Thread.ofVirtual().name("sandbox-" + spec.id()).start(() -> attend(sandbox, taken.sandbox(), execution));
            taken.sandbox()
                    .order(Order.lasting(
                            spec,
                            rootfs,
                            identity,
                            premises.cgroups(),
                            meta.encode(),
                            !record.started(),
                            mounts,
                            attachment,
                            premises.filters().program(spec.isolation().seccomp())));
            previous.ifPresent(premises::superseded);
        } catch (SandboxException | IOException | InterruptedException e) {
            premises.destroy(record.spec().id());
            premises.sweep(record.spec().id());
            life.ended(e instanceof InterruptedException ? "its start was interrupted" : e.getMessage());
            throw e;
        }
        life.settled();
        return Optional.empty();
    }

    /// Tells its project what it is called now. Whoever renames it meanwhile does too, and the last name stays.
    void tellNames(LastingSandbox sandbox) {
        SandboxRecord told;
        do {
            told = sandbox.life().record();
            premises.networks().renamed(sandbox.id(), names(told));
        } while (!Objects.equals(told.spec().name(), sandbox.spec().name()));
    }

    /// By which its project finds it.
    static List<String> names(SandboxRecord record) {
        var spec = record.spec();
        var id = spec.id().toString();
        var name = spec.name() == null ? id : spec.name();
        return Stream.concat(Stream.of(name, Order.hostname(name), id), record.aliases().stream())
                .toList();
    }

    private void enter(LastingSandbox sandbox, Sandbox connection, LocalExecution execution) {
        sandbox.isActive();
        sandbox.life().entered(connection, execution);
        premises.started(execution);
    }

    /// The own process of a sandbox whose PID 1 exists.
    ///
    /// @param begun called when it has begun, or ended
    LocalExecution own(JobMeta meta, Sandbox connection, StartTimeline timeline, Runnable begun) {
        var id = connection.id();
        return new LocalExecution(
                meta,
                id,
                premises.files().journal(id, meta.id()),
                premises.precedence(),
                connection.own(),
                timeline,
                begun,
                () -> premises.leaves(id),
                ending -> premises.losses().ended(meta.outputPolicy(), ending),
                () -> premises.cgroups().evidence(id.toString()));
    }

    /// Listens until its own process has ended; the end of each exec was told before, or will never be.
    private void attend(LastingSandbox sandbox, Sandbox connection, LocalExecution own) {
        own.listen(connection);
        if (premises.isLeft()) {
            return;
        }
        sandbox.life().closed();
        execsLost(sandbox);
        premises.attended(own);
        var outcome = own.ending().orElseThrow().outcome();
        sandbox.life().ended(outcome instanceof Outcome.SandboxError(var detail) ? detail : null);
    }

    /// Its PID 1 is gone, and with it every exec.
    void execsLost(LastingSandbox sandbox) {
        for (var exec : List.copyOf(sandbox.running())) {
            exec.lostWithSandbox();
            ended(sandbox, exec);
        }
    }

    /// Runs one more process in `sandbox`.
    Attempt exec(LastingSandbox sandbox, Job.Exec job, StartTimeline timeline) throws InterruptedException {
        var entrance = sandbox.life().entrance();
        var rootfs = sandbox.rootfs();
        if (entrance.isEmpty()) {
            return refused(sandbox.removed().orElseGet(sandbox::notRunning));
        }
        if (rootfs.isEmpty()) {
            return refused(imageGone(sandbox));
        }
        var spec = sandbox.spec();
        var user = job.command().user() == null
                ? spec.command().user()
                : job.command().user();
        var identity = identity(rootfs.get(), user);
        if (identity.isEmpty()) {
            return refused(noSuchUser(spec, user));
        }
        var unknown = premises.filters()
                .unknown(spec.isolation().seccomp())
                .or(() -> premises.forbidden(spec.isolation().rights()));
        if (unknown.isPresent()) {
            return refused(unknown.get());
        }
        timeline.stamp(Phase.IMAGE);
        var unenforced = premises.unenforcedLasting(sandbox.life().record());
        var meta = JobMeta.of(job, rootfs.get(), spec, unenforced, timeline);
        var execution = exec(sandbox, meta, entrance.get(), timeline);
        var filter = premises.filters().program(spec.isolation().seccomp());
        var order = Order.exec(job, spec, rootfs.get(), identity.get(), premises.cgroups(), meta.encode(), filter);
        premises.precedence().startBegins();
        try {
            entrance.get().exec(job.id(), order, execution);
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "sandbox " + spec.id() + " ended at this moment", e);
            ended(sandbox, execution);
            premises.forget(execution);
            return refused(sandbox.removed().orElseGet(sandbox::notRunning));
        }
        if (!sandbox.life().isLive() && execution.ending().isEmpty()) {
            execution.lostWithSandbox();
            ended(sandbox, execution);
        }
        return new Attempt.Accepted(execution);
    }

    private LocalExecution exec(LastingSandbox sandbox, JobMeta meta, Sandbox connection, StartTimeline timeline) {
        var id = connection.id();
        var box = new LocalExecution[1];
        var execution = new LocalExecution(
                meta,
                id,
                premises.files().journal(id, meta.id()),
                premises.precedence(),
                connection.exec(meta.id()),
                timeline,
                premises.precedence()::startDone,
                () -> ended(sandbox, box[0]),
                ending -> premises.losses().ended(meta.outputPolicy(), ending),
                () -> Cgroups.evidence(List.of()));
        box[0] = execution;
        sandbox.execStarts(execution);
        premises.known(execution);
        return execution;
    }

    /// Begins work on its files, see [FileTree].
    ///
    /// @param time wall time that it may take
    LocalExecution work(
            LastingSandbox sandbox, Sandbox connection, List<String> arguments, Duration time, boolean input)
            throws IOException {
        var job = new Job.Exec(
                JobId.next(),
                sandbox.tenant(),
                sandbox.id(),
                Command.of(arguments),
                input ? new Stdin.Open() : new Stdin.Empty(),
                time,
                MOST_UNREAD,
                Job.OnDisconnect.KILL,
                Job.OutputPolicy.BLOCK,
                Map.of(),
                null);
        var timeline = StartTimeline.begin();
        var meta = JobMeta.of(
                        job,
                        sandbox.rootfs().orElseThrow(),
                        sandbox.spec(),
                        premises.unenforcedLasting(sandbox.life().record()),
                        timeline)
                .ofFiles();
        var execution = exec(sandbox, meta, connection, timeline);
        try {
            connection.exec(job.id(), Order.files(job, meta.encode()), execution);
        } catch (IOException e) {
            ended(sandbox, execution);
            throw e;
        }
        if (!connection.isOpen() && execution.ending().isEmpty()) {
            execution.lostWithSandbox();
            ended(sandbox, execution);
        }
        return execution;
    }

    private void ended(LastingSandbox sandbox, LocalExecution exec) {
        sandbox.execEnded(exec);
        premises.superseded(exec);
    }

    /// Goes on with a sandbox that outlived the server that started it, and with its execs.
    void adopt(LastingSandbox sandbox, Sandbox connection) throws IOException {
        var files = premises.files();
        for (var id : connection.execs().keySet()) {
            var meta = meta(files.journal(sandbox.id(), id));
            var exec = exec(sandbox, meta, connection, meta.timeline());
            connection.attach(id, exec);
            catchUp(exec, connection.exec(id).state());
        }
        var meta = meta(files.journal(sandbox.id(), sandbox.life().record().own()));
        var own = own(meta, connection, meta.timeline(), sandbox.life()::begun);
        var place = meta.attachment();
        if (place != null) {
            premises.networks()
                    .keep(sandbox.id(), sandbox.tenant(), names(sandbox.life().record()), place);
        }
        enter(sandbox, connection, own);
        if (sandbox.state() == SandboxState.STOPPING) {
            // a PID 1 that was told already keeps its own time
            connection.stop(SIGKILL, Duration.ZERO, "api");
        }
        Thread.ofVirtual().name("sandbox-" + sandbox.id()).start(() -> {
            sandbox.life().begun();
            catchUp(own, connection.state());
            attend(sandbox, connection, own);
        });
        LOG.log(Level.INFO, "sandbox " + sandbox.id() + " goes on");
    }

    private static JobMeta meta(Path journal) throws IOException {
        return JobMeta.decode(Archive.contents(journal)
                .orElseThrow(() -> new IOException(journal + " is empty"))
                .meta());
    }

    private static void catchUp(LocalExecution execution, Sandbox.State state) {
        Fields end = state.end();
        if (end == null) {
            execution.journal().grew(state.position(), null);
        } else {
            execution.ended(state.position(), null, end);
        }
    }

    static Optional<Identity> identity(Rootfs rootfs, @Nullable String user) {
        return rootfs.identity(user == null ? rootfs.config().user() : user);
    }

    static Refusal noSuchUser(SandboxSpec spec, @Nullable String user) {
        return new Refusal(
                Refusal.Reason.NO_SUCH_USER,
                "user: image \"" + spec.image() + "\" has no user or group \"" + user + "\"");
    }

    static Refusal imageGone(LastingSandbox sandbox) {
        return new Refusal(
                Refusal.Reason.NO_SUCH_IMAGE,
                "image: \"" + sandbox.image() + "\" is not what it was when this sandbox was made");
    }

    private static Attempt refused(Refusal refusal) {
        return new Attempt.Refused(refusal);
    }
}
