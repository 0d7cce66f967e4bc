package dev.bobbin.runner.host;

import dev.bobbin.image.store.ImageStore;
import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.RequestKey;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.cgroup.Cgroups;
import dev.bobbin.runner.journal.Precedence;
import dev.bobbin.runner.kernel.Device;
import dev.bobbin.runner.kernel.KernelException;
import dev.bobbin.runner.net.Networks;
import dev.bobbin.runner.quota.Projects;
import dev.bobbin.runner.sandbox.InitBinary;
import dev.bobbin.runner.sandbox.SandboxException;
import dev.bobbin.runner.sandbox.SandboxFiles;
import dev.bobbin.runner.seccomp.Filters;
import dev.bobbin.runner.seccomp.NamedFilters;
import dev.bobbin.runner.volume.Mountings;
import dev.bobbin.runner.volume.VolumeStore;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The door of the module: starts jobs on this machine and knows those that run or whose journal is kept. Safe for many
/// threads; one process holds the directories.
public final class HostRuntime implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(HostRuntime.class.getName());
    private static final Duration LAST_WAIT = Duration.ofSeconds(3);
    /// There if the kernel has filters.
    private static final Path FILTERS = Path.of("/proc/sys/kernel/seccomp/actions_avail");

    private static final String OR_OFF = "; or let jobs make every system call, with host.seccomp: off";
    /// Where every Bobbin of this machine says what it has taken of what they share.
    private static final Path LOCKS = Path.of("/run/lock/bobbin");

    private static final int MOST_PIDS = Machine.pids();

    private final HostConfig config;
    private final List<DirectoryLock> locks;
    private final Premises premises;
    private final Runs runs;
    private final Sandboxes sandboxes;
    private final Archive archive;
    private final Builds builds;
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
        this.locks = locks;
        var live = files.live();
        var precedence = new Precedence();
        this.archive = new Archive(files, live, precedence);
        var projects = Projects.open(config.dataDir(), LOCKS);
        var volumes = VolumeStore.open(files.volumes(), projects);
        var mountings = Mountings.open(volumes, config.binds(), List.of(config.dataDir(), config.runDir()));
        var settings = settings(images, cgroups, mountings);
        var filters = namedFilters();
        var networks = Networks.open(config.network(), config.runDir(), meters);
        this.premises = new Premises(
                config,
                files,
                init,
                settings,
                cgroups,
                volumes,
                mountings,
                projects,
                networks,
                filters,
                precedence,
                meters);
        this.runs = new Runs(config, images, premises, archive);
        this.sandboxes = new Sandboxes(images, premises);
        this.builds = new Builds(config, images, premises, meters);
        Gauge.builder("bobbin.sandboxes", premises.running(), Map::size)
                .description("Sandboxes that run a job")
                .tag("state", "running")
                .register(meters);
        var passing = new ArrayList<>(live);
        passing.removeAll(files.lasting());
        passing.forEach(runs::recover);
        new Reunion(sandboxes, premises, archive, images).with(live);
        releaseProjects();
        images.settled();
        networks.settled();
        sweepCgroups(live);
        Thread.ofVirtual().name("archive").start(() -> archive.read(premises.upkeep()::archived));
        premises.upkeep().start(sandboxes);
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
            var cgroups = Cgroups.open(
                    Cgroups.name(config.runDir()),
                    config.runDir().resolve("cgroups"),
                    Device.disks(List.of(config.dataDir(), images.layers())));
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
        if (!Cgroups.removeNoted(runDir.resolve("cgroups"))) {
            return false;
        }
        Networks.removeLeftovers(runDir);
        return true;
    }

    private List<String> settings(ImageStore images, Cgroups cgroups, Mountings mountings) throws IOException {
        var uids = LOCKS.resolve("uids");
        Files.createDirectories(uids);
        var settings = new ArrayList<>(List.of("--store", images.layers().toString(), "--uid-locks", uids.toString()));
        settings.addAll(cgroups.arguments());
        if (mountings.mayBind()) {
            settings.add("--binds");
        }
        images.hostTrees().forEach(tree -> settings.addAll(List.of("--host-tree", tree.toString())));
        settings.addAll(filter());
        return settings;
    }

    private List<String> filter() throws IOException {
        if (!config.seccomp().on()) {
            LOG.log(Level.WARNING, "host.seccomp is off: jobs may make every system call that the kernel has");
            return List.of();
        }
        if (Files.notExists(FILTERS)) {
            throw new SandboxException(
                    "this kernel filters no system calls: build it with CONFIG_SECCOMP_FILTER" + OR_OFF);
        }
        try {
            var filters = filters();
            var profile = config.seccomp().profile();
            var file = profile == null ? filters.standard() : filters.of(profile);
            return List.of("--filter", file.toString());
        } catch (IllegalArgumentException e) {
            throw new SandboxException("host.seccomp: " + config.seccomp().profile() + ": " + e.getMessage(), e);
        } catch (KernelException e) {
            throw new SandboxException(e.getMessage() + OR_OFF, e);
        }
    }

    private NamedFilters namedFilters() throws IOException {
        try {
            return NamedFilters.open(filters(), config.seccomp().named());
        } catch (IllegalArgumentException e) {
            throw new SandboxException("host.seccomp-profiles: " + e.getMessage(), e);
        } catch (KernelException e) {
            throw new SandboxException(e.getMessage() + "; or remove host.seccomp-profiles", e);
        }
    }

    private Filters filters() {
        return new Filters(config.dataDir().resolve("seccomp"));
    }

    /// Starts a job, or says why not. `timeline` has begun; the phases of this host are stamped into it.
    public Attempt start(Job job, StartTimeline timeline) throws InterruptedException {
        var refusal = premises.closed();
        if (refusal.isPresent()) {
            return new Attempt.Refused(refusal.get());
        }
        return switch (job) {
            case Job.Run run -> runs.start(run, timeline);
            case Job.Exec exec -> sandboxes.exec(exec, timeline);
        };
    }

    /// The sandboxes of this host that last.
    public Sandboxes sandboxes() {
        return sandboxes;
    }

    /// Builds on this host.
    public Builds builds() {
        return builds;
    }

    /// The volumes of this host.
    public Volumes volumes() {
        return new Volumes(premises.volumes(), config.allowUnenforcedLimits());
    }

    /// Files beneath `prefixes` of this machine, but for what is this server's own.
    public SharedPaths shared(List<Path> prefixes) {
        return new SharedPaths(prefixes, List.of(config.dataDir(), config.runDir()));
    }

    /// Whether callers who are no administrators may have directories of this machine mounted.
    public boolean everybodyMayBind() {
        return premises.mountings().everybodyMayBind();
    }

    /// The job called `id` if it runs here or its journal is still kept.
    public Optional<Execution> find(JobId id) throws InterruptedException {
        var known = premises.jobs().get(id);
        if (known == null) {
            archive.await();
            known = premises.jobs().get(id);
        }
        return Optional.ofNullable(known);
    }

    /// Every run and exec of this tenant that runs here or whose journal is still kept, the newest first.
    public List<Execution> jobs(String tenant) throws InterruptedException {
        archive.await();
        return premises.jobs().values().stream()
                .filter(job -> job.tenant().equals(tenant) && job.isAsked())
                .sorted(Comparator.<LocalExecution, UUID>comparing(
                                job -> job.id().value())
                        .reversed())
                .map(Execution.class::cast)
                .toList();
    }

    /// What was begun under the word of `key` in the last 24 hours, whether it is still there or not.
    public Optional<RequestKey.Use> use(RequestKey key) throws InterruptedException {
        var known = premises.keys().find(key);
        if (known.isEmpty()) {
            archive.await();
            known = premises.keys().find(key);
        }
        return known;
    }

    /// Jobs that an earlier server started and that still run.
    public List<Execution> recovered() {
        return live().filter(LocalExecution::recovered)
                .map(Execution.class::cast)
                .toList();
    }

    /// What this host has, and what runs on it now.
    public HostCapacity capacity() {
        return new HostCapacity(
                Runtime.getRuntime().availableProcessors(),
                Machine.memoryBytes(),
                MOST_PIDS,
                premises.running().size(),
                premises.warm().parked());
    }

    /// Whether sandboxes can be made.
    public boolean healthy() {
        return premises.nursery().alive() && !premises.upkeep().diskFull();
    }

    /// What an earlier server was making or removing has a project that nobody has any more.
    private void releaseProjects() throws IOException {
        var ours = new HashSet<>(premises.volumes().projects());
        sandboxes.list().forEach(sandbox -> ours.add(sandbox.life().record().project()));
        premises.projects().releaseAllBut(ours);
    }

    private void sweepCgroups(List<SandboxId> live) throws IOException {
        var owned = live.stream().map(SandboxId::toString).toList();
        for (var name : premises.cgroups().present()) {
            var mine = SandboxId.parse(name).isPresent() && !owned.contains(name);
            if (mine
                    && SandboxId.parse(name)
                            .filter(premises.running()::containsKey)
                            .isEmpty()
                    && isLeftover(name)) {
                premises.cgroups().remove(name);
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
        premises.drain();
        var upkeep = premises.upkeep();
        upkeep.await(() -> synchronous().isEmpty(), grace);
        synchronous().forEach(execution -> execution.cancel("shutdown"));
        builds.running().forEach(build -> build.cancel("shutdown"));
        upkeep.await(() -> synchronous().isEmpty() && builds.running().isEmpty(), LAST_WAIT);
    }

    private List<LocalExecution> synchronous() {
        return Stream.concat(live(), builds.running().stream())
                .filter(execution -> execution.onDisconnect() == Job.OnDisconnect.KILL)
                .toList();
    }

    /// Everything that runs: own processes of sandboxes, and execs.
    private Stream<LocalExecution> live() {
        return Stream.concat(premises.running().values().stream(), sandboxes.execs());
    }

    /// Lets go of this host. If no job runs, nothing is left behind; otherwise jobs go on and the next server finds
    /// them.
    @Override
    public void close() {
        premises.drain();
        builds.running().forEach(build -> build.cancel("shutdown"));
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        var nursery = premises.nursery();
        premises.upkeep().close();
        premises.warm().close();
        try {
            premises.warm().awaitGone(LAST_WAIT);
            premises.awaitTrash(LAST_WAIT);
            if (premises.running().isEmpty()) {
                nursery.retire(LAST_WAIT);
                premises.cgroups().close();
                Files.deleteIfExists(config.runDir().resolve("cgroups"));
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            LOG.log(Level.WARNING, "tidy " + config.runDir() + ": " + e.getMessage());
        } finally {
            premises.leave();
            premises.networks().close();
            sandboxes.events().close();
            builds.close();
            premises.keys().close();
            nursery.close();
            locks.forEach(DirectoryLock::close);
        }
    }
}
