package dev.bobbin.runner.host;

import dev.bobbin.runner.JobId;
import dev.bobbin.runner.SandboxEvent;
import dev.bobbin.runner.SandboxState;
import dev.bobbin.runner.sandbox.Sandbox;
import dev.bobbin.runner.sandbox.SandboxException;
import dev.bobbin.runner.sandbox.SandboxRecord;
import dev.bobbin.runner.sandbox.WarmSandboxes;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Where one sandbox that lasts stands: its record, its run, and who may take it from one state to the next. Safe for
/// many threads.
final class SandboxLife {
    /* The lock guards what is below it; nothing slow is done under it but writing the record, whose content it is. Every
     * state in which it may rest is on disk before anybody sees it. */

    private static final System.Logger LOG = System.getLogger(SandboxLife.class.getName());
    /// From asking the nursery to the first instruction.
    private static final long CREATING_NANOS = TimeUnit.SECONDS.toNanos(20);
    /// After its grace: PID 1 kills, then the nursery kills PID 1.
    private static final long STOPPING_NANOS = TimeUnit.SECONDS.toNanos(10);
    /// After even that, until it counts as one that cannot be stopped.
    private static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Path file;
    private final SandboxEvents events;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private SandboxRecord record;
    private @Nullable LocalExecution own;
    private @Nullable Sandbox live;
    /// Whether a PID 1 of it may exist.
    private boolean present;
    /// Whether that PID 1 is there only for work on files.
    private boolean visited;
    private boolean leaving;
    private boolean removed;
    private SandboxGate.@Nullable Place place;
    private long deadlineNanos = Long.MAX_VALUE;

    SandboxLife(SandboxRecord record, Path file, SandboxEvents events) {
        this.record = record;
        this.file = file;
        this.events = events;
    }

    SandboxRecord record() {
        lock.lock();
        try {
            return record;
        } finally {
            lock.unlock();
        }
    }

    /// The run of its own process that is now or was the last.
    Optional<LocalExecution> own() {
        lock.lock();
        try {
            return Optional.ofNullable(own);
        } finally {
            lock.unlock();
        }
    }

    /// Whether it is being removed, or was.
    boolean isLeaving() {
        lock.lock();
        try {
            return leaving;
        } finally {
            lock.unlock();
        }
    }

    /// The state once it is none that passes by itself.
    SandboxState settled() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (passing() && !leaving) {
                changed.await();
            }
            return leaving ? SandboxState.STOPPED : record.state();
        } finally {
            lock.unlock();
        }
    }

    private boolean passing() {
        return record.state() == SandboxState.CREATING || record.state() == SandboxState.STOPPING;
    }

    /// Waits until it is settled and no PID 1 of it exists, and takes it: until [#entered] nobody else will.
    ///
    /// @param itsPlace at the gate, its own from then on until it ends
    /// @return the record of the run that begins, or nothing if it runs already or is no more
    Optional<SandboxRecord> claimStart(JobId job, SandboxGate.Place itsPlace) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (!leaving && passing()) {
                changed.await();
            }
            if (leaving || record.state() == SandboxState.RUNNING) {
                return Optional.empty();
            }
            var before = record;
            record = record.running(job);
            deadlineNanos = System.nanoTime() + CREATING_NANOS;
            if (awaitAbsent()) {
                present = true;
                place = itsPlace;
                events.add(record.spec(), SandboxEvent.Change.CREATING, null);
                return Optional.of(record);
            }
            record = before;
            deadlineNanos = Long.MAX_VALUE;
            changed.signalAll();
            if (leaving) {
                return Optional.empty();
            }
            throw new SandboxException("what it ran before is still ending");
        } finally {
            lock.unlock();
        }
    }

    /// As [#claimStart], for a PID 1 that runs nothing of its own; its state stays what it is.
    ///
    /// @return false if it runs or is no more
    boolean claimVisit() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (!leaving && (passing() || present) && record.state() != SandboxState.RUNNING) {
                changed.await();
            }
            if (leaving || record.state() == SandboxState.RUNNING) {
                return false;
            }
            present = true;
            visited = true;
            return true;
        } finally {
            lock.unlock();
        }
    }

    /// Whether somebody works on its files while it does not run.
    boolean isVisited() {
        lock.lock();
        try {
            return visited;
        } finally {
            lock.unlock();
        }
    }

    /// Waits until no PID 1 of it exists, or `timeout` has passed.
    boolean awaitAbsent(Duration timeout) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            for (var left = timeout.toNanos(); present && left > 0; ) {
                left = changed.awaitNanos(left);
            }
            return !present;
        } finally {
            lock.unlock();
        }
    }

    private boolean awaitAbsent() throws InterruptedException {
        for (var left = CREATING_NANOS; present && left > 0 && !leaving; ) {
            left = changed.awaitNanos(left);
        }
        return !present && !leaving;
    }

    /// The nursery has made its PID 1.
    ///
    /// @param project that its files have
    void claimed(WarmSandboxes.Lasting taken, int project) {
        lock.lock();
        try {
            record = record.claimed(taken.uidBase(), taken.pid(), project);
            save();
        } finally {
            lock.unlock();
        }
    }

    /// Something of a PID 1 of it is left, and [#gone] will be told.
    void remains() {
        lock.lock();
        try {
            present = true;
        } finally {
            lock.unlock();
        }
    }

    /// Its PID 1 exists, and `execution` is its own process.
    void entered(Sandbox sandbox, LocalExecution execution) {
        lock.lock();
        try {
            live = sandbox;
            own = execution;
            present = true;
        } finally {
            lock.unlock();
        }
    }

    /// What an earlier server knew of its last run.
    void lastRun(LocalExecution execution) {
        lock.lock();
        try {
            own = execution;
        } finally {
            lock.unlock();
        }
    }

    /// Its own process has begun, or idling has.
    void begun() {
        lock.lock();
        try {
            if (record.state() == SandboxState.CREATING
                    && own != null
                    && own.ending().isEmpty()) {
                become(SandboxState.RUNNING, null);
            }
        } finally {
            lock.unlock();
        }
    }

    /// Its connection, for an exec; nothing unless it runs.
    Optional<Sandbox> entrance() {
        lock.lock();
        try {
            return record.state() == SandboxState.RUNNING && !leaving ? Optional.ofNullable(live) : Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    /// The connection to a PID 1 that is to end from now on; nothing if it does not run.
    Optional<Sandbox> leaveRunning(Duration grace) {
        lock.lock();
        try {
            if (record.state() != SandboxState.RUNNING) {
                return Optional.empty();
            }
            become(SandboxState.STOPPING, null);
            deadlineNanos = System.nanoTime() + grace.toNanos() + STOPPING_NANOS;
            return Optional.ofNullable(live);
        } finally {
            lock.unlock();
        }
    }

    /// Nobody is told anything by its PID 1 any more.
    void closed() {
        lock.lock();
        try {
            live = null;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Whether its PID 1 tells us something.
    boolean isLive() {
        lock.lock();
        try {
            return live != null;
        } finally {
            lock.unlock();
        }
    }

    /// It does not run any more; `problem` if it never did.
    void ended(@Nullable String problem) {
        lock.lock();
        try {
            live = null;
            become(problem == null ? SandboxState.STOPPED : SandboxState.FAILED, problem);
        } finally {
            lock.unlock();
        }
    }

    /// Nothing of its PID 1 is left.
    void gone() {
        lock.lock();
        try {
            present = false;
            visited = false;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Whether a state that should have passed has not, so that its PID 1 is to be killed. One that does not go even
    /// then is failed.
    boolean overdue(long nanos) {
        lock.lock();
        try {
            if (!passing() || nanos - deadlineNanos <= 0) {
                return false;
            }
            if (nanos - deadlineNanos > STUCK_NANOS) {
                become(SandboxState.FAILED, "it was " + record.state().word() + " for too long and cannot be killed");
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    private void become(SandboxState state, @Nullable String problem) {
        record = record.in(state, problem);
        if (!takesPlace()) {
            givePlaceBack();
        }
        deadlineNanos = Long.MAX_VALUE;
        if (!leaving) {
            save();
            events.add(record.spec(), SandboxEvent.Change.into(state), problem == null ? cause() : problem);
        }
        changed.signalAll();
    }

    private boolean takesPlace() {
        return switch (record.state()) {
            case CREATING, RUNNING, STOPPING -> true;
            case STOPPED, FAILED -> false;
        };
    }

    private void givePlaceBack() {
        if (place != null) {
            place.giveBack();
            place = null;
        }
    }

    /// Has a place at `gate` from now on, if it takes one.
    void readmit(SandboxGate gate) {
        lock.lock();
        try {
            if (place == null && takesPlace()) {
                place = gate.readmit(record.spec().limits());
            }
        } finally {
            lock.unlock();
        }
    }

    /// Whether this place is its own.
    boolean has(SandboxGate.Place other) {
        lock.lock();
        try {
            return other.equals(place);
        } finally {
            lock.unlock();
        }
    }

    /// How its run has ended.
    private @Nullable String cause() {
        return own == null
                ? null
                : own.ending().map(ending -> ending.outcome().cause()).orElse(null);
    }

    /// Gives it another name, or none.
    ///
    /// @return the name that it had
    @Nullable
    String rename(@Nullable String name) {
        lock.lock();
        try {
            var before = record.spec().name();
            record = record.named(name);
            if (!leaving && !Objects.equals(before, name)) {
                save();
                events.add(record.spec(), SandboxEvent.Change.RENAMED, null);
            }
            return before;
        } finally {
            lock.unlock();
        }
    }

    private void save() {
        try {
            record.write(file);
        } catch (IOException e) {
            // the next change tries again, and a server that starts meanwhile finds the truth in sockets and journals
            LOG.log(Level.WARNING, "the record of sandbox " + record.spec().id() + " is not up to date: " + e);
        }
    }

    /// Waits until it is not being made, and marks it as leaving; only the first caller may then remove it.
    boolean claimRemoval() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (record.state() == SandboxState.CREATING && !leaving) {
                changed.await();
            }
            var first = !leaving;
            leaving = true;
            changed.signalAll();
            return first;
        } finally {
            lock.unlock();
        }
    }

    /// Waits until its PID 1 tells nothing more, or `timeout` has passed.
    boolean awaitClosed(Duration timeout) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            for (var left = timeout.toNanos(); live != null && left > 0; ) {
                left = changed.awaitNanos(left);
            }
            return live == null;
        } finally {
            lock.unlock();
        }
    }

    /// It is removed, for everybody to see.
    void removed() {
        lock.lock();
        try {
            removed = true;
            givePlaceBack();
            events.add(record.spec(), SandboxEvent.Change.REMOVED, null);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Waits until it is removed.
    void awaitRemoved() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (!removed) {
                changed.await();
            }
        } finally {
            lock.unlock();
        }
    }
}
