package dev.bobbin.runner.host;

import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.Rights;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.cgroup.Cgroups;
import dev.bobbin.runner.journal.Precedence;
import dev.bobbin.runner.net.Networks;
import dev.bobbin.runner.quota.Projects;
import dev.bobbin.runner.sandbox.Nursery;
import dev.bobbin.runner.sandbox.Sandbox;
import dev.bobbin.runner.sandbox.SandboxFiles;
import dev.bobbin.runner.sandbox.SandboxRecord;
import dev.bobbin.runner.sandbox.Trash;
import dev.bobbin.runner.sandbox.WarmSandboxes;
import dev.bobbin.runner.seccomp.NamedFilters;
import dev.bobbin.runner.volume.Mountings;
import dev.bobbin.runner.volume.VolumeStore;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/// What all sandboxes of this host share, whether they last or not: where things lie, what makes them, who runs in
/// them, and what is left to be removed when one ends. Safe for many threads.
final class Premises {
    private static final System.Logger LOG = System.getLogger(Premises.class.getName());

    private final SandboxFiles files;
    private final Cgroups cgroups;
    private final Nursery nursery;
    private final WarmSandboxes warm;
    private final Upkeep upkeep;
    private final Trash trash;
    private final VolumeStore volumes;
    private final Mountings mountings;
    private final Projects projects;
    private final Networks networks;
    private final NamedFilters filters;
    private final Rights allowed;
    private final Losses losses;
    private final Precedence precedence;
    private final UsedKeys keys;
    private final Set<String> unenforced;
    private final Fitness fitness;
    private final Map<JobId, LocalExecution> jobs = new ConcurrentHashMap<>();
    private final Map<SandboxId, LocalExecution> running = new ConcurrentHashMap<>();
    /// Made by a nursery that ended: nobody will say when they are gone.
    private final Set<SandboxId> orphaned = ConcurrentHashMap.newKeySet();
    /// How many threads are about to remove what is left of a sandbox, or do so.
    private final Map<SandboxId, Integer> sweeps = new ConcurrentHashMap<>();
    private volatile Consumer<SandboxId> gone = _ -> {};
    private volatile boolean draining;
    private volatile boolean left;

    Premises(
            HostConfig config,
            SandboxFiles files,
            Path init,
            List<String> settings,
            Cgroups cgroups,
            VolumeStore volumes,
            Mountings mountings,
            Projects projects,
            Networks networks,
            NamedFilters filters,
            Precedence precedence,
            MeterRegistry meters)
            throws IOException {
        this.volumes = volumes;
        this.mountings = mountings;
        this.projects = projects;
        this.networks = networks;
        this.filters = filters;
        this.allowed = config.rights();
        this.files = files;
        this.cgroups = cgroups;
        this.unenforced = cgroups.unenforced();
        this.fitness = new Fitness(cgroups, config.allowUnenforcedLimits());
        this.losses = new Losses(meters);
        this.precedence = precedence;
        this.trash = new Trash(files.trash());
        var ready = new CompletableFuture<Premises>();
        this.nursery = Nursery.open(files, init, settings, new Nursery.Listener() {
            @Override
            public void gone(SandboxId id, int status, boolean left) {
                ready.join().reaped(id, status, left);
            }

            @Override
            public void lost() {
                ready.join().nurseryLost();
            }
        });
        this.keys = new UsedKeys(files.keys());
        this.warm = new WarmSandboxes(files, nursery, config.pool(), meters);
        this.upkeep = new Upkeep(config, files, nursery, jobs, running, keys);
        ready.complete(this);
        trash.emptyInBackground();
    }

    SandboxFiles files() {
        return files;
    }

    Cgroups cgroups() {
        return cgroups;
    }

    Nursery nursery() {
        return nursery;
    }

    WarmSandboxes warm() {
        return warm;
    }

    VolumeStore volumes() {
        return volumes;
    }

    Mountings mountings() {
        return mountings;
    }

    Networks networks() {
        return networks;
    }

    /// The filters that may be asked for by name.
    NamedFilters filters() {
        return filters;
    }

    /// Why a job may not have `rights`, if so.
    Optional<Refusal> forbidden(Rights rights) {
        return rights.beyond(allowed);
    }

    Upkeep upkeep() {
        return upkeep;
    }

    Losses losses() {
        return losses;
    }

    Precedence precedence() {
        return precedence;
    }

    /// Of the requests that began what there is, or was.
    UsedKeys keys() {
        return keys;
    }

    /// Every job that is known, those whose journals are kept included.
    Map<JobId, LocalExecution> jobs() {
        return jobs;
    }

    /// The own processes of sandboxes, while they run.
    Map<SandboxId, LocalExecution> running() {
        return running;
    }

    /// `listener` is told of each sandbox of which nothing is left.
    void tellGone(Consumer<SandboxId> listener) {
        gone = listener;
    }

    /// Takes no new work from now on.
    void drain() {
        draining = true;
    }

    /// Leaves what runs to the next server: from now on nothing is concluded from a connection that ends.
    void leave() {
        left = true;
    }

    boolean isLeft() {
        return left;
    }

    /// Why nothing can be started at the moment, if so.
    Optional<Refusal> closed() {
        if (draining) {
            return Optional.of(new Refusal(Refusal.Reason.DRAINING, "this host takes no new work"));
        }
        return upkeep.diskFull()
                ? Optional.of(new Refusal(Refusal.Reason.DEGRADED, "the disk of this host's data directory is full"))
                : Optional.empty();
    }

    /// Those of a job's limits that are not kept; the host's own number of processors is no limit.
    Set<String> unenforced(Limits limits) {
        var missing = cgroups.missing(limits);
        var unlimited = limits.cpus() == 0 && unenforced.contains("cpus");
        if (missing.isEmpty() && !unlimited) {
            return unenforced;
        }
        var all = new TreeSet<>(unenforced);
        all.addAll(missing);
        if (unlimited) {
            all.remove("cpus");
        }
        return all;
    }

    /// Why nothing with these limits can run on this machine, if so.
    Optional<Refusal> unfit(Limits limits) {
        return fitness.unfit(limits);
    }

    /// [#unenforced] of a sandbox that lasts, whose files are on a disk that it shares.
    Set<String> unenforcedLasting(SandboxRecord record) {
        var limits = unenforced(record.spec().limits());
        if (projects.keeps(record.project())) {
            return limits;
        }
        var all = new TreeSet<>(limits);
        all.add("disk");
        return all;
    }

    /// The project of a sandbox whose directories are there: its own, or at its first start a new one; 0 if the size of
    /// its files is not kept, as of those that it had before this file system kept any.
    int project(SandboxRecord record) {
        if (record.project() != 0 || record.started() || !projects.kept()) {
            return record.project();
        }
        var id = record.spec().id();
        try {
            return projects.take(files.written(id), record.spec().limits().diskBytes());
        } catch (IOException e) {
            LOG.log(Level.WARNING, "the disk of sandbox " + id + " is not limited: " + e.getMessage());
            return 0;
        }
    }

    /// How much more may be brought into a sandbox that lasts.
    DiskRoom room(SandboxRecord record) {
        var limit = record.spec().limits().diskBytes();
        return new DiskRoom(files.upper(record.spec().id()), limit, () -> projects.used(record.project()));
    }

    Projects projects() {
        return projects;
    }

    /// Notes the own process of a sandbox.
    void started(LocalExecution execution) {
        running.put(execution.sandboxId(), execution);
        known(execution);
    }

    /// Notes a process in a sandbox that has another of its own.
    void known(LocalExecution execution) {
        jobs.put(execution.id(), execution);
        execution.use().ifPresent(keys::add);
    }

    void forget(LocalExecution execution) {
        jobs.remove(execution.id());
        execution.use().ifPresent(keys::remove);
    }

    /// The own process has ended, and its PID 1 is about to be told to exit.
    void leaves(SandboxId id) {
        warm.dies(id);
        running.remove(id);
    }

    /// Removes what is left of a sandbox whose own process has ended, unless the nursery does that.
    void attended(LocalExecution execution) {
        if (left) {
            return;
        }
        var id = execution.sandboxId();
        networks.detach(id);
        var vanished = running.remove(id) != null;
        if (orphaned.remove(id) || vanished || execution.recovered() || !nursery.alive()) {
            sweep(id);
        }
    }

    /// From now on the journal of an ended process goes by age and size.
    void superseded(LocalExecution execution) {
        upkeep.ended(execution);
    }

    /// Ends a sandbox from outside.
    void destroy(SandboxId id) {
        nursery.destroy(id);
    }

    /// Removes everything of a sandbox that lasted.
    void discard(SandboxRecord record) {
        record.use().ifPresent(keys::outlives);
        discard(record.spec().id(), record.uidBase(), record.project());
    }

    /// The same of one of which there may be no record.
    void discard(SandboxId id, int uidBase, int project) {
        var its = jobs.values().stream()
                .filter(execution -> execution.sandboxId().equals(id))
                .toList();
        for (var execution : its) {
            execution.use().ifPresent(keys::outlives);
            jobs.remove(execution.id(), execution);
        }
        try {
            trash.put(files.lasting(id));
        } catch (IOException e) {
            LOG.log(Level.WARNING, "the files of sandbox " + id + " stay: " + e.getMessage());
        }
        if (uidBase != 0) {
            nursery.free(uidBase);
        }
        projects.release(project);
    }

    void awaitTrash(Duration timeout) throws InterruptedException {
        trash.await(timeout);
        volumes.awaitTrash(timeout);
        projects.tidy();
    }

    void sweep(SandboxId id) {
        beginSweep(id);
        endSweep(id);
    }

    private void beginSweep(SandboxId id) {
        sweeps.merge(id, 1, Integer::sum);
    }

    /// Only the last of several tells that nothing is left: what is made anew after that is safe from all of them.
    private void endSweep(SandboxId id) {
        try {
            cgroups.remove(id.toString());
            files.removeLive(id);
        } catch (UncheckedIOException e) {
            LOG.log(Level.WARNING, e.getMessage(), e);
        } finally {
            if (sweeps.computeIfPresent(id, (_, others) -> others == 1 ? null : others - 1) == null) {
                gone(id);
            }
        }
    }

    private void gone(SandboxId id) {
        warm.gone(id);
        networks.detach(id);
        gone.accept(id);
    }

    /// The nursery reaped a PID 1. One whose job has not ended is looked after by that job's own thread.
    private void reaped(SandboxId id, int status, boolean left) {
        var execution = running.get(id);
        if (execution != null) {
            execution.reaped(status);
        } else if (warm.endedJobless(id)) {
            sweepJobless(id);
        } else if (left) {
            sweepInBackground(id);
        } else {
            gone(id);
        }
    }

    private void nurseryLost() {
        orphaned.addAll(running.keySet());
        Thread.ofVirtual().name("sweep").start(() -> warm.dying().forEach(this::sweep));
    }

    void sweepInBackground(SandboxId id) {
        beginSweep(id);
        Thread.ofVirtual().name("sweep").start(() -> endSweep(id));
    }

    void sweepJobless(SandboxId id) {
        beginSweep(id);
        Thread.ofVirtual().name("sweep").start(() -> {
            try {
                files.removeKept(id);
            } catch (UncheckedIOException e) {
                LOG.log(Level.WARNING, e.getMessage(), e);
            } finally {
                endSweep(id);
            }
        });
    }

    /// Lets a sandbox go that an earlier server parked and that never got its order.
    void dismiss(Sandbox sandbox) throws IOException {
        var id = sandbox.id();
        warm.dies(id);
        sandbox.own().recorded();
        Thread.ofVirtual().name("sweep").start(() -> {
            try (sandbox) {
                sandbox.listen(new Archive.Deaf());
            } catch (IOException e) {
                LOG.log(Level.DEBUG, "sandbox " + id + " was gone already", e);
            }
            sweepJobless(id);
        });
    }
}
