package dev.bobbin.runner.host;

import dev.bobbin.image.Identity;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.store.ImageStore;
import dev.bobbin.image.store.Rootfs;
import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.SandboxSpec;
import dev.bobbin.runner.SandboxState;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.StartTimeline.Phase;
import dev.bobbin.runner.cgroup.Cgroups;
import dev.bobbin.runner.sandbox.Order;
import dev.bobbin.runner.sandbox.Sandbox;
import dev.bobbin.runner.sandbox.SandboxException;
import dev.bobbin.runner.sandbox.SandboxRecord;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The sandboxes of this host that last. Safe for many threads.
public final class Sandboxes {
    private static final System.Logger LOG = System.getLogger(Sandboxes.class.getName());
    private static final int SIGTERM = 15;
    private static final Duration IDLE_GRACE = Duration.ofSeconds(10);
    /// PID 1 and then the nursery kill it well within this.
    private static final Duration REMOVAL = Duration.ofSeconds(8);
    /// A file system on disk has no size of its own for each sandbox.
    private static final String DISK = "disk";

    private final ImageStore images;
    private final Premises premises;
    private final Map<SandboxId, LastingSandbox> all = new ConcurrentHashMap<>();
    /// Tenant, NUL, name.
    private final Map<String, SandboxId> names = new ConcurrentHashMap<>();

    /// The answer to "make this sandbox".
    public sealed interface Creation {
        /// It runs, or its own process has ended already.
        record Created(LastingSandbox sandbox) implements Creation {}

        record Refused(Refusal refusal) implements Creation {}
    }

    Sandboxes(ImageStore images, Premises premises) {
        this.images = images;
        this.premises = premises;
        premises.tellGone(this::gone);
    }

    /// Makes a sandbox and starts it.
    public Creation create(SandboxSpec spec, StartTimeline timeline) throws InterruptedException {
        var closed = premises.closed();
        if (closed.isPresent()) {
            return new Creation.Refused(closed.get());
        }
        Optional<Rootfs> lease;
        try {
            lease = images.lease(spec.tenant(), spec.image());
        } catch (ImageException e) {
            return refused(Refusal.Reason.NO_SUCH_IMAGE, "image: " + e.getMessage());
        }
        if (lease.isEmpty()) {
            return refused(Refusal.Reason.NO_SUCH_IMAGE, "image: there is no image \"" + spec.image() + "\"");
        }
        var rootfs = lease.get();
        if (identity(rootfs, spec.user()).isEmpty()) {
            rootfs.close();
            return refused(
                    Refusal.Reason.NO_SUCH_USER,
                    "user: image \"" + spec.image() + "\" has no user or group \"" + spec.user() + "\"");
        }
        var key = key(spec.tenant(), spec.name());
        if (key != null && names.putIfAbsent(key, spec.id()) != null) {
            rootfs.close();
            return refused(Refusal.Reason.NAME_TAKEN, "name: there is a sandbox \"" + spec.name() + "\" already");
        }
        timeline.stamp(Phase.IMAGE);
        return create(spec, rootfs, timeline);
    }

    private Creation create(SandboxSpec spec, Rootfs rootfs, StartTimeline timeline) throws InterruptedException {
        var own = JobId.next();
        var record = new SandboxRecord(spec, rootfs.layers(), Instant.now(), 0, SandboxState.STOPPED, own, false, null);
        var sandbox = new LastingSandbox(this, record, premises.files().record(spec.id()), rootfs, rootfs);
        all.put(spec.id(), sandbox);
        try {
            launch(sandbox, spec, own, timeline);
            return new Creation.Created(sandbox);
        } catch (SandboxException | IOException e) {
            LOG.log(Level.ERROR, "sandbox " + spec.id() + " could not be made", e);
            remove(sandbox);
            return refused(Refusal.Reason.DEGRADED, "this host cannot make sandboxes at the moment");
        }
    }

    Optional<Refusal> start(LastingSandbox sandbox) throws InterruptedException {
        var closed = premises.closed();
        if (closed.isPresent()) {
            return closed;
        }
        var rootfs = sandbox.rootfs();
        if (rootfs.isEmpty()) {
            return Optional.of(imageGone(sandbox));
        }
        try {
            launch(sandbox, null, JobId.next(), StartTimeline.begin());
            return all.containsKey(sandbox.id())
                    ? Optional.empty()
                    : Optional.of(noSuch(sandbox.id().toString()));
        } catch (SandboxException | IOException e) {
            LOG.log(Level.ERROR, "sandbox " + sandbox.id() + " could not be started", e);
            return Optional.of(new Refusal(Refusal.Reason.DEGRADED, "this host cannot start it: " + e.getMessage()));
        }
    }

    /// Makes its PID 1 and gives the order; returns when its own process has begun, or ended.
    ///
    /// @param fresh what a new one is to be, its files included; `null` for one that ran before
    private void launch(LastingSandbox sandbox, @Nullable SandboxSpec fresh, JobId own, StartTimeline timeline)
            throws InterruptedException, IOException {
        var previous = sandbox.own();
        var claimed = sandbox.claimStart(own);
        if (claimed.isEmpty()) {
            return;
        }
        var record = claimed.get();
        try {
            var spec = fresh == null ? record.spec() : fresh;
            var rootfs = sandbox.rootfs().orElseThrow();
            var identity = identity(rootfs, spec.user())
                    .orElseThrow(() -> new SandboxException("find the user " + spec.user() + " in the image"));
            var taken = premises.warm().takeLasting(spec.id(), own, record.uidBase());
            sandbox.claimed(taken.uidBase());
            var meta = JobMeta.of(spec, own, rootfs, unenforced(spec.limits()), timeline);
            var execution = own(sandbox, meta, taken.sandbox(), timeline);
            sandbox.entered(taken.sandbox(), execution);
            premises.started(execution);
            Thread.ofVirtual().name("sandbox-" + spec.id()).start(() -> attend(sandbox, taken.sandbox(), execution));
            taken.sandbox()
                    .order(Order.lasting(spec, rootfs, identity, premises.cgroups(), meta.encode(), !record.started()));
            previous.filter(LocalExecution.class::isInstance)
                    .map(LocalExecution.class::cast)
                    .ifPresent(premises::superseded);
        } catch (SandboxException | IOException e) {
            premises.destroy(record.spec().id());
            premises.sweepInBackground(record.spec().id());
            sandbox.ended(e.getMessage());
            throw e;
        }
        sandbox.awaitSettled();
    }

    private LocalExecution own(LastingSandbox sandbox, JobMeta meta, Sandbox connection, StartTimeline timeline) {
        var id = connection.id();
        return new LocalExecution(
                meta,
                id,
                premises.files().journal(id, meta.id()),
                connection.own(),
                timeline,
                sandbox::begun,
                () -> premises.leaves(id),
                ending -> premises.losses().ended(meta.outputPolicy(), ending),
                () -> premises.cgroups().evidence(id.toString()));
    }

    /// Listens until its own process has ended; the end of each exec was told before, or will never be.
    private void attend(LastingSandbox sandbox, Sandbox connection, LocalExecution own) {
        own.listen(connection);
        sandbox.closed();
        for (var exec : List.copyOf(sandbox.running())) {
            exec.lostWithSandbox();
            ended(sandbox, exec);
        }
        premises.attended(own);
        var outcome = own.ending().orElseThrow().outcome();
        sandbox.ended(outcome instanceof Outcome.SandboxError(var detail) ? detail : null);
    }

    /// Runs one more process in a sandbox that lasts.
    Attempt exec(Job.Exec job, StartTimeline timeline) throws InterruptedException {
        var found = Optional.ofNullable(all.get(job.sandbox()))
                .filter(sandbox -> sandbox.tenant().equals(job.tenant()));
        if (found.isEmpty()) {
            return new Attempt.Refused(noSuch(job.sandbox().toString()));
        }
        var sandbox = found.get();
        var entrance = sandbox.entrance();
        var rootfs = sandbox.rootfs();
        if (entrance.isEmpty()) {
            return new Attempt.Refused(sandbox.notRunning().orElseThrow());
        }
        if (rootfs.isEmpty()) {
            return new Attempt.Refused(imageGone(sandbox));
        }
        var spec = sandbox.spec();
        var user = job.user() == null ? spec.user() : job.user();
        var identity = identity(rootfs.get(), user);
        if (identity.isEmpty()) {
            return new Attempt.Refused(new Refusal(
                    Refusal.Reason.NO_SUCH_USER,
                    "user: image \"" + spec.image() + "\" has no user or group \"" + user + "\""));
        }
        timeline.stamp(Phase.IMAGE);
        var meta = JobMeta.of(job, rootfs.get(), spec.limits(), unenforced(spec.limits()), timeline);
        var execution = exec(sandbox, meta, entrance.get(), timeline);
        var order = Order.exec(job, spec, rootfs.get(), identity.get(), premises.cgroups(), meta.encode());
        try {
            entrance.get().exec(job.id(), order, execution);
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "sandbox " + spec.id() + " ended at this moment", e);
            ended(sandbox, execution);
            premises.forget(execution);
            return new Attempt.Refused(sandbox.notRunning().orElseThrow());
        }
        if (!sandbox.lives() && execution.ending().isEmpty()) {
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
                connection.exec(meta.id()),
                timeline,
                () -> {},
                () -> ended(sandbox, box[0]),
                ending -> premises.losses().ended(meta.outputPolicy(), ending),
                () -> Cgroups.evidence(List.of()));
        box[0] = execution;
        sandbox.execStarts(execution);
        premises.known(execution);
        return execution;
    }

    private void ended(LastingSandbox sandbox, LocalExecution exec) {
        sandbox.execEnded(exec);
        premises.superseded(exec);
    }

    /// Notes a sandbox that an earlier server made.
    void known(LastingSandbox sandbox) {
        all.put(sandbox.id(), sandbox);
        var key = key(sandbox.tenant(), sandbox.name().orElse(null));
        if (key != null) {
            names.put(key, sandbox.id());
        }
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
        var meta = meta(files.journal(sandbox.id(), sandbox.ownId()));
        var own = own(sandbox, meta, connection, meta.timeline());
        sandbox.entered(connection, own);
        premises.started(own);
        if (sandbox.state() == SandboxState.STOPPING) {
            Reunion.goOnStopping(connection);
        }
        Thread.ofVirtual().name("sandbox-" + sandbox.id()).start(() -> {
            sandbox.begun();
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
        var end = state.end();
        if (end == null) {
            execution.journal().grew(state.position(), null);
        } else {
            execution.ended(state.position(), null, end);
        }
    }

    /// The sandbox of this tenant with this id or name.
    public Optional<LastingSandbox> find(String tenant, String idOrName) {
        var named = names.get(key(tenant, idOrName));
        var id = named == null ? SandboxId.parse(idOrName) : Optional.of(named);
        return id.map(all::get).filter(sandbox -> sandbox.tenant().equals(tenant));
    }

    /// The sandbox of this id, whoever owns it.
    public Optional<LastingSandbox> find(SandboxId id) {
        return Optional.ofNullable(all.get(id));
    }

    /// Every sandbox of this tenant, oldest first.
    public List<LastingSandbox> list(String tenant) {
        return sorted().filter(sandbox -> sandbox.tenant().equals(tenant)).toList();
    }

    /// Every sandbox of this host, oldest first.
    public List<LastingSandbox> list() {
        return sorted().toList();
    }

    private Stream<LastingSandbox> sorted() {
        return all.values().stream()
                .sorted(Comparator.comparing(sandbox -> sandbox.id().toString()));
    }

    Optional<Refusal> rename(LastingSandbox sandbox, @Nullable String name) {
        if (name != null) {
            SandboxSpec.checkName(name);
        }
        var fresh = key(sandbox.tenant(), name);
        var holder = fresh == null ? null : names.putIfAbsent(fresh, sandbox.id());
        if (holder != null && !holder.equals(sandbox.id())) {
            return Optional.of(
                    new Refusal(Refusal.Reason.NAME_TAKEN, "name: there is a sandbox \"" + name + "\" already"));
        }
        if (holder == null) {
            var old = key(sandbox.tenant(), sandbox.name().orElse(null));
            sandbox.named(name);
            if (old != null) {
                names.remove(old, sandbox.id());
            }
        }
        return Optional.empty();
    }

    void remove(LastingSandbox sandbox) throws InterruptedException {
        sandbox.awaitSettled();
        if (!sandbox.claimRemoval()) {
            return;
        }
        var id = sandbox.id();
        sandbox.own().ifPresent(own -> own.cancel("api"));
        if (!sandbox.awaitClosed(REMOVAL)) {
            premises.destroy(id);
        }
        var key = key(sandbox.tenant(), sandbox.name().orElse(null));
        if (key != null) {
            names.remove(key, id);
        }
        all.remove(id);
        premises.discard(id, sandbox.uidBase());
        sandbox.releaseImage();
    }

    /// Twice a second: what has lived or idled long enough, and what does not pass by itself.
    void keepHouse() {
        var now = System.nanoTime();
        var wall = Instant.now();
        for (var sandbox : all.values()) {
            if (sandbox.expired(wall)) {
                inBackground(sandbox::remove);
            } else if (sandbox.idles(now)) {
                inBackground(() -> sandbox.stop(SIGTERM, IDLE_GRACE, "idle"));
            } else if (sandbox.overdue(now)) {
                premises.destroy(sandbox.id());
            }
        }
    }

    private interface Action {
        void run() throws InterruptedException;
    }

    private static void inBackground(Action action) {
        Thread.ofVirtual().name("sandbox").start(() -> {
            try {
                action.run();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        });
    }

    /// Execs that run now.
    Stream<LocalExecution> execs() {
        return all.values().stream().flatMap(sandbox -> sandbox.running().stream());
    }

    /// Nothing of a PID 1 is left.
    void gone(SandboxId id) {
        var sandbox = all.get(id);
        if (sandbox != null) {
            sandbox.gone();
        }
    }

    /// Limits that are not kept for a sandbox that lasts.
    Set<String> unenforced(Limits limits) {
        var unenforced = new TreeSet<>(premises.unenforced(limits));
        unenforced.add(DISK);
        return unenforced;
    }

    private static Optional<Identity> identity(Rootfs rootfs, @Nullable String user) {
        return rootfs.identity(user == null ? rootfs.config().user() : user);
    }

    private static @Nullable String key(String tenant, @Nullable String name) {
        return name == null ? null : tenant + "\0" + name;
    }

    private static Creation refused(Refusal.Reason reason, String detail) {
        return new Creation.Refused(new Refusal(reason, detail));
    }

    private static Refusal imageGone(LastingSandbox sandbox) {
        return new Refusal(
                Refusal.Reason.NO_SUCH_IMAGE,
                "image: \"" + sandbox.image() + "\" is not what it was when this sandbox was made");
    }

    static Refusal noSuch(String idOrName) {
        return new Refusal(Refusal.Reason.NO_SUCH_SANDBOX, "sandbox: there is no sandbox \"" + idOrName + "\"");
    }
}
