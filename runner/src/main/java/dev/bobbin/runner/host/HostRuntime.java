package dev.bobbin.runner.host;

import dev.bobbin.image.Identity;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.store.ImageStore;
import dev.bobbin.image.store.Rootfs;
import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.StartTimeline.Phase;
import dev.bobbin.runner.cgroup.Cgroups;
import dev.bobbin.runner.sandbox.InitBinary;
import dev.bobbin.runner.sandbox.Nursery;
import dev.bobbin.runner.sandbox.Order;
import dev.bobbin.runner.sandbox.Sandbox;
import dev.bobbin.runner.sandbox.SandboxException;
import dev.bobbin.runner.sandbox.SandboxFiles;
import dev.bobbin.runner.sandbox.WarmSandboxes;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/// The door of the module: starts jobs on this machine and knows those that run or whose journal is kept. Safe for many
/// threads; one process holds the directories.
public final class HostRuntime implements AutoCloseable {
    /* A job's way: lease the image, take a sandbox, give the order, listen. The listening virtual thread owns the sandbox
     * until the job's end is known, then tells its PID 1 to exit; the nursery removes what that leaves. Nothing is written by this process on the way: the
     * journal, which PID 1 writes, is the whole record, and a new server reads it back. */

    private static final System.Logger LOG = System.getLogger(HostRuntime.class.getName());
    private static final Duration LAST_WAIT = Duration.ofSeconds(3);

    private static final int MOST_PIDS = Machine.pids();

    private final HostConfig config;
    private final ImageStore images;
    private final List<DirectoryLock> locks;
    private final SandboxFiles files;
    private final Cgroups cgroups;
    private final Nursery nursery;
    private final WarmSandboxes warm;
    private final Map<JobId, LocalExecution> jobs = new ConcurrentHashMap<>();
    private final Map<SandboxId, LocalExecution> running = new ConcurrentHashMap<>();
    private final Upkeep upkeep;
    private final Archive archive;
    private final Set<String> unenforced;
    private final Losses losses;
    private volatile boolean draining;
    private final AtomicBoolean closed = new AtomicBoolean();

    private HostRuntime(
            HostConfig config,
            ImageStore images,
            List<DirectoryLock> locks,
            SandboxFiles files,
            Path init,
            Cgroups cgroups,
            MeterRegistry meters)
            throws IOException {
        this.config = config;
        this.images = images;
        this.locks = locks;
        this.files = files;
        this.cgroups = cgroups;
        this.unenforced = cgroups.unenforced();
        this.losses = new Losses(meters);
        var live = files.live();
        this.archive = new Archive(files, live);
        var ready = new CompletableFuture<HostRuntime>();
        this.nursery = Nursery.open(files, init, settings(images, cgroups), new Nursery.Listener() {
            @Override
            public void gone(SandboxId id, int status, boolean left) {
                ready.join().reaped(id, status, left);
            }

            @Override
            public void lost() {
                ready.join().sweepDying();
            }
        });
        this.warm = new WarmSandboxes(files, nursery, config.pool(), meters);
        this.upkeep = new Upkeep(config, files, nursery, jobs, running);
        ready.complete(this);
        Gauge.builder("bobbin.sandboxes", running, Map::size)
                .description("Sandboxes that run a job")
                .tag("state", "running")
                .register(meters);
        live.forEach(this::recover);
        sweepCgroups(live);
        Thread.ofVirtual().name("archive").start(() -> archive.read(upkeep::archived));
        upkeep.start();
    }

    /// Takes the directories, finds what an earlier server left running, and starts or finds the nursery.
    ///
    /// @throws SandboxException with one sentence for a person if this machine or the directories do not allow it
    public static HostRuntime open(HostConfig config, ImageStore images, MeterRegistry meters) {
        return open(config, images, meters, null);
    }

    /// @param init the program in place of the built-in one, for tests under sanitizers
    static HostRuntime open(HostConfig config, ImageStore images, MeterRegistry meters, @Nullable Path init) {
        var locks = new ArrayList<DirectoryLock>();
        try {
            locks.add(DirectoryLock.take(config.dataDir()));
            locks.add(DirectoryLock.take(config.runDir()));
            var files = new SandboxFiles(config.dataDir(), config.runDir());
            var cgroups =
                    Cgroups.open(Cgroups.name(config.runDir()), config.runDir().resolve("cgroups"));
            var unenforced = cgroups.unenforced();
            if (!unenforced.isEmpty()) {
                var problem = "this machine cannot keep limits of " + String.join(", ", unenforced)
                        + (unenforced.contains("swap") ? " (swap is on and not counted: boot with swapaccount=1)" : "");
                if (!config.allowUnenforcedLimits()) {
                    throw new SandboxException(problem
                            + "; make its cgroup controllers available, or accept it with"
                            + " host.allow-unenforced-limits: on");
                }
                LOG.log(Level.WARNING, problem + "; jobs run without them, as host.allow-unenforced-limits says");
            }
            var program = init == null ? InitBinary.install(config.dataDir().resolve("bin")) : init;
            return new HostRuntime(config, images, locks, files, program, cgroups, meters);
        } catch (IOException e) {
            locks.forEach(DirectoryLock::close);
            throw new SandboxException("open this host's runtime: " + e.getMessage(), e);
        } catch (RuntimeException e) {
            locks.forEach(DirectoryLock::close);
            throw e;
        }
    }

    /// Removes what a server that was killed left of itself in `runDir` outside that directory, which nobody may hold.
    ///
    /// @return whether it is all gone; if not, its last processes are still ending
    public static boolean removeLeftovers(Path runDir) throws IOException {
        return Cgroups.removeNoted(runDir.resolve("cgroups"));
    }

    private List<String> settings(ImageStore images, Cgroups cgroups) throws IOException {
        var uids = Path.of("/run/lock/bobbin/uids");
        Files.createDirectories(uids);
        var settings = new ArrayList<>(List.of("--store", images.layers().toString(), "--uid-locks", uids.toString()));
        settings.addAll(cgroups.arguments());
        images.hostTrees().forEach(tree -> settings.addAll(List.of("--host-tree", tree.toString())));
        return settings;
    }

    /// Starts a job, or says why not. `timeline` has begun; the phases of this host are stamped into it.
    public Attempt start(Job job, StartTimeline timeline) throws InterruptedException {
        if (draining) {
            return refused(Refusal.Reason.DRAINING, "this host takes no new work");
        }
        if (upkeep.diskFull()) {
            return refused(Refusal.Reason.DEGRADED, "the disk of this host's data directory is full");
        }
        return switch (job) {
            case Job.Run run -> run(run, timeline);
        };
    }

    private Attempt run(Job.Run job, StartTimeline timeline) throws InterruptedException {
        Optional<Rootfs> lease;
        try {
            lease = images.lease(job.tenant(), job.image());
        } catch (ImageException e) {
            return refused(Refusal.Reason.NO_SUCH_IMAGE, "image: " + e.getMessage());
        }
        if (lease.isEmpty()) {
            return refused(Refusal.Reason.NO_SUCH_IMAGE, "image: there is no image \"" + job.image() + "\"");
        }
        var rootfs = lease.get();
        var accepted = false;
        try {
            var attempt = run(job, rootfs, timeline);
            accepted = attempt instanceof Attempt.Accepted;
            return attempt;
        } finally {
            if (!accepted) {
                rootfs.close();
            }
        }
    }

    /// Starts the job on a root file system, which is the job's from then on if it is accepted.
    private Attempt run(Job.Run job, Rootfs rootfs, StartTimeline timeline) throws InterruptedException {
        try {
            var command = command(job, rootfs);
            if (command.isEmpty()) {
                return refused(
                        Refusal.Reason.NO_COMMAND,
                        "command: is absent, and image \"" + job.image() + "\" has no command of its own");
            }
            var user = job.user() == null ? rootfs.config().user() : job.user();
            var identity = rootfs.identity(user);
            if (identity.isEmpty()) {
                return refused(
                        Refusal.Reason.NO_SUCH_USER,
                        "user: image \"" + job.image() + "\" has no user or group \"" + user + "\"");
            }
            timeline.stamp(Phase.IMAGE);
            return run(job, command, rootfs, identity.get(), timeline);
        } catch (SandboxException | IOException e) {
            LOG.log(Level.ERROR, "job " + job.id() + " could not be started", e);
            return refused(Refusal.Reason.DEGRADED, "this host cannot make sandboxes at the moment");
        }
    }

    private Attempt run(Job.Run job, List<String> command, Rootfs rootfs, Identity identity, StartTimeline timeline)
            throws InterruptedException, IOException {
        var taken = warm.take();
        timeline.path(taken.path());
        var meta = JobMeta.of(job, rootfs, command, unenforced(job.limits()), timeline);
        var execution = execution(meta, taken.sandbox(), timeline);
        var grace = job.onDisconnect() == Job.OnDisconnect.KILL ? config.orphanGrace() : null;
        var order = Order.of(job, command, rootfs, identity, cgroups, meta.encode(), grace);
        jobs.put(job.id(), execution);
        try {
            taken.sandbox().order(order);
        } catch (IOException e) {
            jobs.remove(job.id());
            running.remove(execution.sandboxId());
            taken.sandbox().close();
            nursery.destroy(execution.sandboxId());
            sweepJobless(execution.sandboxId());
            throw e;
        }
        Thread.ofVirtual().name("job-" + job.id()).start(() -> attend(execution, rootfs));
        return new Attempt.Accepted(execution);
    }

    /// Those of a job's limits that are not kept; the host's own number of processors is no limit.
    private Set<String> unenforced(Limits limits) {
        if (limits.cpus() > 0 || !unenforced.contains("cpus")) {
            return unenforced;
        }
        var others = new TreeSet<>(unenforced);
        others.remove("cpus");
        return others;
    }

    private static List<String> command(Job.Run job, Rootfs rootfs) {
        if (!job.command().isEmpty()) {
            return job.command();
        }
        var command = new ArrayList<>(rootfs.config().entrypoint());
        command.addAll(rootfs.config().command());
        return command;
    }

    private static Attempt refused(Refusal.Reason reason, String detail) {
        return new Attempt.Refused(new Refusal(reason, detail));
    }

    private LocalExecution execution(JobMeta meta, Sandbox sandbox, StartTimeline timeline) {
        var id = sandbox.id();
        var execution = new LocalExecution(
                meta,
                id,
                files.journal(id),
                sandbox,
                timeline,
                warm::refill,
                () -> leaves(id),
                ending -> losses.ended(meta.outputPolicy(), ending),
                () -> cgroups.evidence(id.toString()));
        running.put(id, execution);
        return execution;
    }

    /// Listens to a job until its end, then lets go of its image. The nursery removes what is left of a sandbox that
    /// was told to exit; of any other it is done here.
    private void attend(LocalExecution execution, AutoCloseable image) {
        var id = execution.sandboxId();
        try (image) {
            execution.listen();
        } catch (Exception e) {
            LOG.log(Level.ERROR, "job " + execution.id() + " is no longer listened to", e);
        } finally {
            var vanished = running.remove(id) != null;
            if (vanished || execution.recovered() || !nursery.alive()) {
                sweep(id);
            }
            upkeep.ended(execution);
        }
    }

    /// The end of its job is known, and its PID 1 is about to be told to exit.
    private void leaves(SandboxId id) {
        warm.dies(id);
        running.remove(id);
    }

    private void sweep(SandboxId id) {
        cgroups.remove(id.toString());
        try {
            files.removeLive(id);
        } catch (UncheckedIOException e) {
            LOG.log(Level.WARNING, e.getMessage(), e);
        }
        warm.gone(id);
    }

    /// The nursery reaped a PID 1. One whose job has not ended is looked after by that job's own thread.
    private void reaped(SandboxId id, int status, boolean left) {
        var execution = running.get(id);
        if (execution != null) {
            execution.reaped(status);
        } else if (warm.endedJobless(id)) {
            sweepJobless(id);
        } else if (left) {
            Thread.ofVirtual().name("sweep").start(() -> sweep(id));
        } else {
            warm.gone(id);
        }
    }

    private void sweepDying() {
        Thread.ofVirtual().name("sweep").start(() -> warm.dying().forEach(this::sweep));
    }

    private void sweepJobless(SandboxId id) {
        Thread.ofVirtual().name("sweep").start(() -> {
            try {
                files.removeKept(id);
            } catch (UncheckedIOException e) {
                LOG.log(Level.WARNING, e.getMessage(), e);
            } finally {
                sweep(id);
            }
        });
    }

    /// The job called `id` if it runs here or its journal is still kept.
    public Optional<Execution> find(JobId id) throws InterruptedException {
        var known = jobs.get(id);
        if (known == null) {
            archive.await();
            known = jobs.get(id);
        }
        return Optional.ofNullable(known);
    }

    /// Jobs that an earlier server started and that still run.
    public List<Execution> recovered() {
        return running.values().stream()
                .filter(LocalExecution::recovered)
                .map(Execution.class::cast)
                .toList();
    }

    /// What this host has, and what runs on it now.
    public HostCapacity capacity() {
        return new HostCapacity(
                Runtime.getRuntime().availableProcessors(),
                Machine.memoryBytes(),
                MOST_PIDS,
                running.size(),
                warm.parked());
    }

    /// Whether sandboxes can be made.
    public boolean healthy() {
        return nursery.alive() && !upkeep.diskFull();
    }

    private void recover(SandboxId id) {
        try {
            var sandbox = Sandbox.connect(files, id);
            var contents = Archive.contents(files, id);
            if (contents.isEmpty()) {
                warm.dies(id);
                sandbox.recorded();
                Thread.ofVirtual().name("sweep").start(() -> {
                    try (sandbox) {
                        sandbox.listen(new Archive.Deaf());
                    } catch (IOException e) {
                        LOG.log(Level.DEBUG, "sandbox " + id + " was gone already", e);
                    }
                    sweep(id);
                    files.removeKept(id);
                });
                return;
            }
            var meta = JobMeta.decode(contents.get().meta());
            var execution = execution(meta, sandbox, meta.timeline());
            execution.journal().grew(sandbox.state().position(), null);
            jobs.put(meta.id(), execution);
            var image = images.hold(meta.layers());
            Thread.ofVirtual().name("job-" + meta.id()).start(() -> {
                var end = sandbox.state().end();
                if (end != null) {
                    execution.ended(sandbox.state().position(), null, end);
                }
                attend(execution, image);
            });
            LOG.log(Level.INFO, "job " + meta.id() + " goes on");
        } catch (IOException | SandboxException e) {
            LOG.log(Level.INFO, "sandbox " + id + " did not outlive the last server: " + e.getMessage());
            nursery.destroy(id);
            Thread.ofVirtual().name("sweep").start(() -> sweep(id));
            archive.add(id);
        }
    }

    private void sweepCgroups(List<SandboxId> live) throws IOException {
        var owned = live.stream().map(SandboxId::toString).toList();
        for (var name : cgroups.present()) {
            var mine = SandboxId.parse(name).isPresent() && !owned.contains(name);
            if (mine && SandboxId.parse(name).filter(running::containsKey).isEmpty() && isLeftover(name)) {
                cgroups.remove(name);
            }
        }
    }

    /// A cgroup whose sandbox has no live directory; one that is being made at this moment has it first.
    private boolean isLeftover(String name) {
        return Files.notExists(config.runDir().resolve("s").resolve(name));
    }

    /// No new work from now on; jobs whose caller must be present get `grace` and then end as cancelled by `shutdown`.
    /// All others live on.
    public void drain(Duration grace) throws InterruptedException {
        draining = true;
        upkeep.await(() -> synchronous().isEmpty(), grace);
        synchronous().forEach(execution -> execution.cancel("shutdown"));
        upkeep.await(() -> synchronous().isEmpty(), LAST_WAIT);
    }

    private List<LocalExecution> synchronous() {
        return running.values().stream()
                .filter(execution -> execution.onDisconnect() == Job.OnDisconnect.KILL)
                .toList();
    }

    /// Lets go of this host. If no job runs, nothing is left behind; otherwise jobs go on and the next server finds
    /// them.
    @Override
    public void close() {
        draining = true;
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        upkeep.close();
        warm.close();
        try {
            warm.awaitGone(LAST_WAIT);
            if (running.isEmpty()) {
                nursery.retire(LAST_WAIT);
                cgroups.close();
                Files.deleteIfExists(config.runDir().resolve("cgroups"));
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            LOG.log(Level.WARNING, "tidy " + config.runDir() + ": " + e.getMessage());
        } finally {
            nursery.close();
            locks.forEach(DirectoryLock::close);
        }
    }
}
