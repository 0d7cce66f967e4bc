package dev.bobbin.runner.host;

import dev.bobbin.image.ImageException;
import dev.bobbin.image.store.ImageStore;
import dev.bobbin.image.store.Rootfs;
import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Mount;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.Sample;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.SandboxSpec;
import dev.bobbin.runner.SandboxState;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.StartTimeline.Phase;
import dev.bobbin.runner.sandbox.MountOrder;
import dev.bobbin.runner.sandbox.Sandbox;
import dev.bobbin.runner.sandbox.SandboxException;
import dev.bobbin.runner.sandbox.SandboxRecord;
import dev.bobbin.runner.volume.Mountings;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The sandboxes of this host that last. Safe for many threads.
public final class Sandboxes {
    private static final System.Logger LOG = System.getLogger(Sandboxes.class.getName());
    private static final String CANNOT = "this host cannot make sandboxes at the moment";
    private static final int SIGTERM = 15;
    private static final Duration IDLE_GRACE = Duration.ofSeconds(10);
    /// PID 1 and then the nursery kill it well within this.
    private static final Duration REMOVAL = Duration.ofSeconds(8);

    private final ImageStore images;
    private final Premises premises;
    private final Launcher launcher;
    private final Visits visits;
    private final SandboxEvents events;
    private final Map<SandboxId, LastingSandbox> all = new ConcurrentHashMap<>();
    private final SandboxNames names = new SandboxNames();
    private volatile SandboxGate gate = SandboxGate.OPEN;

    /// The answer to "make this sandbox".
    public sealed interface Creation {
        /// It runs, or its own process has ended already.
        record Created(LastingSandbox sandbox) implements Creation {}

        record Refused(Refusal refusal) implements Creation {}
    }

    Sandboxes(ImageStore images, Premises premises) throws IOException {
        this.images = images;
        this.premises = premises;
        this.launcher = new Launcher(premises);
        this.visits = new Visits(premises, launcher);
        this.events = SandboxEvents.open(premises.files().events());
        premises.tellGone(this::gone);
    }

    /// What became of them.
    public SandboxEvents events() {
        return events;
    }

    /// From now on `other` lets sandboxes in; those that run are told to it at once.
    public void admitBy(SandboxGate other) {
        gate = other;
        all.values().forEach(sandbox -> sandbox.life().readmit(other));
    }

    /// Makes a sandbox and starts it.
    public Creation create(SandboxSpec spec, StartTimeline timeline) throws InterruptedException {
        var closed = premises.closed()
                .or(() -> premises.networks().forbidden(spec.isolation().network()))
                .or(() -> premises.filters().unknown(spec.isolation().seccomp()))
                .or(() -> premises.forbidden(spec.isolation().rights()));
        if (closed.isPresent()) {
            return new Creation.Refused(closed.get());
        }
        var unfit = premises.unfit(spec.limits());
        if (unfit.isPresent()) {
            return new Creation.Refused(unfit.get());
        }
        if (spec.name() != null && names.find(spec.tenant(), spec.name()).isPresent()) {
            return new Creation.Refused(nameTaken(spec.name()));
        }
        return switch (gate.enter(spec.limits())) {
            case SandboxGate.Entry.Refused(var refusal) -> new Creation.Refused(refusal);
            case SandboxGate.Entry.Admitted(var place) -> {
                timeline.stamp(Phase.ADMIT);
                var created = false;
                try {
                    var creation = create(spec, place, timeline);
                    created = creation instanceof Creation.Created;
                    yield creation;
                } finally {
                    if (!created) {
                        place.giveBack();
                    }
                }
            }
        };
    }

    private Creation create(SandboxSpec spec, SandboxGate.Place place, StartTimeline timeline)
            throws InterruptedException {
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
        if (Launcher.identity(rootfs, spec.command().user()).isEmpty()) {
            rootfs.close();
            return new Creation.Refused(Launcher.noSuchUser(spec, spec.command().user()));
        }
        if (!names.claim(spec.tenant(), spec.name(), spec.id())) {
            rootfs.close();
            return new Creation.Refused(nameTaken(spec.name()));
        }
        timeline.stamp(Phase.IMAGE);
        Mountings.Answer mounts;
        try {
            mounts = premises.mountings()
                    .take(spec.tenant(), spec.mounts(), spec.limits().memoryBytes(), user(spec.id()));
        } catch (SandboxException e) {
            LOG.log(Level.ERROR, "sandbox " + spec.id() + " could not be made", e);
            mounts = new Mountings.Answer.Refused(new Refusal(Refusal.Reason.DEGRADED, CANNOT));
        }
        return switch (mounts) {
            case Mountings.Answer.Ready(var orders) -> create(spec, rootfs, orders, place, timeline);
            case Mountings.Answer.Refused(var refusal) -> {
                names.release(spec.tenant(), spec.name(), spec.id());
                rootfs.close();
                yield new Creation.Refused(refusal);
            }
        };
    }

    /// How a sandbox is called that uses volumes.
    static String user(SandboxId id) {
        return "sandbox " + id;
    }

    private Creation create(
            SandboxSpec spec, Rootfs rootfs, List<MountOrder> mounts, SandboxGate.Place place, StartTimeline timeline)
            throws InterruptedException {
        var own = JobId.next();
        var alias = names.alias(spec.tenant(), spec.id());
        var record = new SandboxRecord(
                spec, List.of(alias), rootfs.layers(), Instant.now(), 0, 0, SandboxState.STOPPED, own, false, null, 0);
        var life = new SandboxLife(record, premises.files().record(spec.id()), events);
        var sandbox = new LastingSandbox(this, life, rootfs, rootfs);
        all.put(spec.id(), sandbox);
        try {
            var refusal = launcher.launch(sandbox, spec, own, mounts, place, timeline);
            if (refusal.isPresent()) {
                remove(sandbox);
                return new Creation.Refused(refusal.get());
            }
            record.use().ifPresent(premises.keys()::add);
            return new Creation.Created(sandbox);
        } catch (SandboxException | IOException e) {
            LOG.log(Level.ERROR, "sandbox " + spec.id() + " could not be made", e);
            remove(sandbox);
            return refused(Refusal.Reason.DEGRADED, CANNOT);
        }
    }

    Optional<Refusal> start(LastingSandbox sandbox) throws InterruptedException {
        var closed = premises.closed();
        if (closed.isPresent()) {
            return closed;
        }
        if (sandbox.life().settled() == SandboxState.RUNNING) {
            return Optional.empty();
        }
        var spec = sandbox.spec();
        var forbidden = premises.networks()
                .forbidden(spec.isolation().network())
                .or(() -> premises.filters().unknown(spec.isolation().seccomp()))
                .or(() -> premises.forbidden(spec.isolation().rights()));
        if (forbidden.isPresent()) {
            return forbidden;
        }
        if (sandbox.rootfs().isEmpty()) {
            return Optional.of(Launcher.imageGone(sandbox));
        }
        var unfit = premises.unfit(sandbox.limits());
        if (unfit.isPresent()) {
            return unfit;
        }
        var timeline = StartTimeline.begin();
        return switch (gate.enter(sandbox.limits())) {
            case SandboxGate.Entry.Refused(var refusal) -> Optional.of(refusal);
            case SandboxGate.Entry.Admitted(var place) -> {
                timeline.stamp(Phase.ADMIT);
                try {
                    yield start(sandbox, place, timeline);
                } finally {
                    if (!sandbox.life().has(place)) {
                        place.giveBack();
                    }
                }
            }
        };
    }

    private Optional<Refusal> start(LastingSandbox sandbox, SandboxGate.Place place, StartTimeline timeline)
            throws InterruptedException {
        var mounts = mounts(sandbox.spec());
        if (mounts instanceof Mountings.Answer.Refused(var refusal)) {
            return Optional.of(refusal);
        }
        try {
            var orders = ((Mountings.Answer.Ready) mounts).orders();
            var refusal = launcher.launch(sandbox, null, JobId.next(), orders, place, timeline);
            return refusal.isPresent() ? refusal : sandbox.removed();
        } catch (SandboxException | IOException e) {
            LOG.log(Level.ERROR, "sandbox " + sandbox.id() + " could not be started", e);
            return Optional.of(new Refusal(Refusal.Reason.DEGRADED, "this host cannot start it: " + e.getMessage()));
        }
    }

    /// What is mounted in a sandbox that was made before.
    private Mountings.Answer mounts(SandboxSpec spec) {
        return premises.mountings()
                .again(spec.tenant(), spec.mounts(), spec.limits().memoryBytes());
    }

    /// Runs one more process in a sandbox that lasts.
    Attempt exec(Job.Exec job, StartTimeline timeline) throws InterruptedException {
        var sandbox = all.get(job.sandbox());
        if (sandbox == null || !sandbox.tenant().equals(job.tenant())) {
            return new Attempt.Refused(noSuch(job.sandbox().toString()));
        }
        return launcher.exec(sandbox, job, timeline);
    }

    /// Notes a sandbox that an earlier server made and that does not run.
    void known(LastingSandbox sandbox) {
        all.put(sandbox.id(), sandbox);
        sandbox.life().record().use().ifPresent(premises.keys()::add);
        names.claim(sandbox.tenant(), sandbox.name().orElse(null), sandbox.id());
        sandbox.aliases().forEach(alias -> names.claim(sandbox.tenant(), alias, sandbox.id()));
        premises.mountings().keep(sandbox.tenant(), Mount.volumes(sandbox.mounts()), user(sandbox.id()));
    }

    /// Goes on with a sandbox that an earlier server made and that runs.
    void adopt(LastingSandbox sandbox, Sandbox connection) throws IOException {
        known(sandbox);
        launcher.adopt(sandbox, connection);
    }

    /// The sandbox of this tenant with this id, name or alias.
    public Optional<LastingSandbox> find(String tenant, String idOrName) {
        return names.find(tenant, idOrName)
                .or(() -> SandboxId.parse(idOrName))
                .map(all::get)
                .filter(sandbox -> sandbox.tenant().equals(tenant));
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
        if (sandbox.removed().isPresent()) {
            return sandbox.removed();
        }
        if (!names.claim(sandbox.tenant(), name, sandbox.id())) {
            return Optional.of(nameTaken(name));
        }
        var before = sandbox.life().rename(name);
        if (!Objects.equals(before, name)) {
            launcher.tellNames(sandbox);
            if (before != null && !sandbox.aliases().contains(before)) {
                names.release(sandbox.tenant(), before, sandbox.id());
            }
        }
        return Optional.empty();
    }

    void remove(LastingSandbox sandbox) throws InterruptedException {
        var life = sandbox.life();
        if (!life.claimRemoval()) {
            life.awaitRemoved();
            return;
        }
        var id = sandbox.id();
        life.own().ifPresent(own -> own.cancel("api"));
        var closed = false;
        try {
            closed = life.awaitClosed(REMOVAL);
            if (life.isVisited()) {
                premises.destroy(id);
                life.awaitAbsent(REMOVAL);
            } else if (closed && sandbox.spec().isolation().network() instanceof Network.Bridge) {
                // its address and its ports are others' only after its PID 1
                life.awaitAbsent(REMOVAL);
            }
        } finally {
            if (!closed) {
                premises.destroy(id);
            }
            names.release(sandbox.tenant(), sandbox.name().orElse(null), id);
            sandbox.aliases().forEach(alias -> names.release(sandbox.tenant(), alias, id));
            all.remove(id);
            premises.discard(life.record());
            sandbox.releaseImage();
            premises.mountings().release(user(id));
            life.removed();
        }
    }

    /// Twice a second: what has lived or idled long enough, and what does not pass by itself.
    void keepHouse() {
        premises.projects().tidy();
        var now = System.nanoTime();
        var wall = Instant.now();
        for (var sandbox : all.values()) {
            if (sandbox.expired(wall)) {
                inBackground(sandbox::remove);
            } else if (sandbox.idles(now)) {
                inBackground(() -> sandbox.stop(SIGTERM, IDLE_GRACE, "idle"));
            } else if (sandbox.life().overdue(now)) {
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
    private void gone(SandboxId id) {
        var sandbox = all.get(id);
        if (sandbox != null) {
            sandbox.life().gone();
        }
    }

    /// Limits that are not kept for a sandbox that lasts.
    Set<String> unenforced(LastingSandbox sandbox) {
        return premises.unenforcedLasting(sandbox.life().record());
    }

    FileTree files(LastingSandbox sandbox) {
        return new FileTree(sandbox, visits);
    }

    Sample sample(SandboxRecord record) throws IOException {
        var sample = Samples.take(premises.cgroups(), premises.projects(), record);
        return record.spec().isolation().network() instanceof Network.Host ? sample.withoutNetwork() : sample;
    }

    private static Creation refused(Refusal.Reason reason, String detail) {
        return new Creation.Refused(new Refusal(reason, detail));
    }

    private static Refusal nameTaken(@Nullable String name) {
        return new Refusal(Refusal.Reason.NAME_TAKEN, "name: there is a sandbox \"" + name + "\" already");
    }

    static Refusal noSuch(String idOrName) {
        return new Refusal(Refusal.Reason.NO_SUCH_SANDBOX, "sandbox: there is no sandbox \"" + idOrName + "\"");
    }
}
