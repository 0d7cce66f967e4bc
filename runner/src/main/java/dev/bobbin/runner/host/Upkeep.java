package dev.bobbin.runner.host;

import dev.bobbin.runner.JobId;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.journal.Journal;
import dev.bobbin.runner.sandbox.Nursery;
import dev.bobbin.runner.sandbox.SandboxFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/// What a host does on the side, twice a second: forgets journals that are too old or too many, ends jobs that nobody
/// came back for, kills those that do not end when told to, and looks at the disk.
final class Upkeep implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Upkeep.class.getName());
    private static final long ROUND_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final long REATTACH_NANOS = TimeUnit.SECONDS.toNanos(30);
    private static final long DEFIANCE_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final long RECORD_NANOS = TimeUnit.SECONDS.toNanos(2);
    /// Below this much room a job could not even say how it ended.
    private static final long LEAST_ROOM_BYTES = 1024 * 1024;

    private final SandboxFiles files;
    private final Nursery nursery;
    private final Map<JobId, LocalExecution> jobs;
    private final UsedKeys keys;
    private final Map<SandboxId, LocalExecution> running;
    private final FileStore disk;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final KeptJobs kept;
    private volatile boolean diskFull;
    private boolean closed;

    /// @param jobs every job that is known; those that are forgotten are taken out
    /// @param running those that run
    /// @param keys of the requests that began them
    Upkeep(
            HostConfig config,
            SandboxFiles files,
            Nursery nursery,
            Map<JobId, LocalExecution> jobs,
            Map<SandboxId, LocalExecution> running,
            UsedKeys keys)
            throws IOException {
        this.files = files;
        this.nursery = nursery;
        this.jobs = jobs;
        this.running = running;
        this.keys = keys;
        this.disk = Files.getFileStore(config.dataDir());
        this.kept = new KeptJobs(config.keepEnded(), config.keepEndedBytes());
    }

    void start(Sandboxes sandboxes) {
        Thread.ofVirtual().name("upkeep").start(() -> keepHouse(sandboxes));
    }

    /// Whether there is no room left for what jobs print.
    boolean diskFull() {
        return diskFull;
    }

    /// Notes a job that has just ended.
    void ended(LocalExecution execution) {
        long bytes;
        try {
            bytes = Journal.bytesOnDisk(execution.journalFile());
        } catch (IOException _) {
            bytes = 0;
        }
        keep(execution, bytes, System.currentTimeMillis());
        expire();
    }

    /// Notes a job that had ended before this server began.
    void archived(Archive.Entry entry) {
        jobs.put(entry.execution().id(), entry.execution());
        entry.execution().use().ifPresent(keys::add);
        keep(entry.execution(), entry.bytes(), entry.endedMillis());
    }

    private void keep(LocalExecution execution, long bytes, long endedMillis) {
        lock.lock();
        try {
            kept.add(execution, bytes, endedMillis);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Waits until `condition`, which is asked again whenever a job has ended, or until `timeout` has passed.
    void await(BooleanSupplier condition, Duration timeout) throws InterruptedException {
        var left = timeout.toNanos();
        lock.lockInterruptibly();
        try {
            while (!condition.getAsBoolean() && left > 0) {
                left = changed.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    private void keepHouse(Sandboxes sandboxes) {
        while (nextRound()) {
            expire();
            lookAtDisk();
            var now = System.nanoTime();
            sandboxes.keepHouse();
            sandboxes.execs().forEach(exec -> {
                exec.giveUpRecord(now - RECORD_NANOS);
                if (exec.abandoned(REATTACH_NANOS)) {
                    exec.cancel("server_restart");
                }
            });
            for (var execution : running.values()) {
                execution.giveUpRecord(now - RECORD_NANOS);
                if (execution.defiesCancelSince(now - DEFIANCE_NANOS) || execution.overdue(now)) {
                    nursery.destroy(execution.sandboxId());
                } else if (execution.abandoned(REATTACH_NANOS)) {
                    execution.cancel("server_restart");
                }
            }
        }
    }

    /// Waits; false once closed.
    private boolean nextRound() {
        lock.lock();
        try {
            var left = ROUND_NANOS;
            while (!closed && left > 0) {
                left = changed.awaitNanos(left);
            }
            return !closed;
        } catch (InterruptedException _) {
            return false;
        } finally {
            lock.unlock();
        }
    }

    private void lookAtDisk() {
        try {
            var full = disk.getUnallocatedSpace() < LEAST_ROOM_BYTES;
            if (full != diskFull) {
                LOG.log(
                        Level.WARNING,
                        full ? "the disk of the data directory is full: no new jobs" : "the disk has room again");
                diskFull = full;
            }
        } catch (IOException e) {
            LOG.log(Level.WARNING, "the room on the data directory's disk is not known: " + e.getMessage());
        }
    }

    private void expire() {
        List<LocalExecution> expired;
        lock.lock();
        try {
            expired = kept.expired(System.currentTimeMillis());
        } finally {
            lock.unlock();
        }
        for (var execution : expired) {
            execution.use().ifPresent(keys::outlives);
            jobs.remove(execution.id());
            try {
                files.removeJournal(execution.journalFile());
            } catch (UncheckedIOException e) {
                LOG.log(Level.WARNING, e.getMessage(), e);
            }
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
