package dev.bobbin.runner.host;

import dev.bobbin.image.ImageReference;
import dev.bobbin.image.store.Rootfs;
import dev.bobbin.runner.Ending;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.SandboxSpec;
import dev.bobbin.runner.SandboxState;
import dev.bobbin.runner.sandbox.Sandbox;
import dev.bobbin.runner.sandbox.SandboxException;
import dev.bobbin.runner.sandbox.SandboxRecord;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A sandbox that lasts until it is removed: it runs, is stopped and started again with the files that it has, and runs
/// any number of execs. Safe for many threads. What it is told to do is done when a method returns, unless it says
/// otherwise.
public final class LastingSandbox {
    /* The lock guards what is below it; nothing slow is done under it but writing the record, whose content it is. Every
     * state in which it may rest is on disk before anybody sees it. */

    private static final System.Logger LOG = System.getLogger(LastingSandbox.class.getName());
    /// From asking the nursery to the first instruction.
    private static final long CREATING_NANOS = TimeUnit.SECONDS.toNanos(20);
    /// After its grace: PID 1 kills, then the nursery kills PID 1.
    private static final long STOPPING_NANOS = TimeUnit.SECONDS.toNanos(10);

    private static final int SIGKILL = 9;

    private final Sandboxes sandboxes;
    private final Path file;
    private final @Nullable Rootfs rootfs;
    private final AutoCloseable image;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Map<JobId, LocalExecution> execs = new ConcurrentHashMap<>();
    private SandboxRecord record;
    private @Nullable LocalExecution own;
    private @Nullable Sandbox live;
    /// Whether a PID 1 of it may exist.
    private boolean present;
    private boolean removed;
    private long deadlineNanos = Long.MAX_VALUE;
    private volatile long activeNanos = System.nanoTime();

    /// @param rootfs its image, leased for as long as it exists; `null` if that is not there any more
    /// @param image what keeps the layers of its image, closed with it
    LastingSandbox(
            Sandboxes sandboxes, SandboxRecord record, Path file, @Nullable Rootfs rootfs, AutoCloseable image) {
        this.sandboxes = sandboxes;
        this.record = record;
        this.file = file;
        this.rootfs = rootfs;
        this.image = image;
    }

    private SandboxRecord record() {
        lock.lock();
        try {
            return record;
        } finally {
            lock.unlock();
        }
    }

    SandboxSpec spec() {
        return record().spec();
    }

    /// Lets go of its image.
    void releaseImage() {
        try {
            image.close();
        } catch (Exception e) {
            LOG.log(Level.WARNING, "the image of sandbox " + id() + " is still held", e);
        }
    }

    Optional<Rootfs> rootfs() {
        return Optional.ofNullable(rootfs);
    }

    public SandboxId id() {
        return spec().id();
    }

    public String tenant() {
        return spec().tenant();
    }

    public Optional<String> name() {
        return Optional.ofNullable(spec().name());
    }

    public ImageReference image() {
        return spec().image();
    }

    /// The command of its own process; empty if it idles.
    public List<String> command() {
        return spec().command();
    }

    public Map<String, String> labels() {
        return spec().labels();
    }

    public Limits limits() {
        return spec().limits();
    }

    /// Those of its limits that this machine cannot keep, by name.
    public Set<String> unenforcedLimits() {
        return sandboxes.unenforced(limits());
    }

    public Instant createdAt() {
        return record().createdAt();
    }

    public SandboxState state() {
        return record().state();
    }

    /// Why it is `failed`.
    public Optional<String> problem() {
        return Optional.ofNullable(record().problem());
    }

    /// When it will be removed by itself.
    public Optional<Instant> expiresAt() {
        var ttl = spec().ttl();
        return ttl == null ? Optional.empty() : Optional.of(createdAt().plus(ttl));
    }

    public Optional<Duration> idleTimeout() {
        return Optional.ofNullable(spec().idleTimeout());
    }

    /// The run of its own process that is now or was the last: what it printed and how it ended. One that idles prints
    /// nothing.
    public Optional<Execution> own() {
        lock.lock();
        try {
            return Optional.ofNullable(own);
        } finally {
            lock.unlock();
        }
    }

    /// How its last run ended; nothing while it runs.
    public Optional<Ending> ending() {
        return own().flatMap(Execution::ending);
    }

    /// Execs that run in it now.
    public List<Execution> execs() {
        return List.copyOf(execs.values());
    }

    /// Starts it if it does not run.
    ///
    /// @return why that could not be done
    public Optional<Refusal> start() throws InterruptedException {
        return sandboxes.start(this);
    }

    /// Sends its own process `signal`, or every process if it idles, waits for `grace` and kills what is left.
    public Optional<Refusal> stop(int signal, Duration grace) throws InterruptedException {
        return stop(signal, grace, "api");
    }

    Optional<Refusal> stop(int signal, Duration grace, String by) throws InterruptedException {
        if (settled() != SandboxState.RUNNING) {
            return stillThere();
        }
        var to = leaveRunning(grace);
        if (to != null) {
            try {
                to.stop(signal, grace, by);
            } catch (IOException e) {
                LOG.log(Level.DEBUG, "sandbox " + id() + " was gone already", e);
            }
        }
        settled();
        return Optional.empty();
    }

    /// Sends its own process a signal, or every process if it idles; SIGKILL ends the sandbox.
    public Optional<Refusal> signal(int signal) throws InterruptedException {
        var running = settled() == SandboxState.RUNNING ? own().orElse(null) : null;
        if (running == null) {
            var gone = stillThere();
            return gone.isPresent() ? gone : notRunning();
        }
        if (signal == SIGKILL) {
            leaveRunning(Duration.ZERO);
            running.cancel("api");
            settled();
        } else {
            running.signal(signal);
        }
        return Optional.empty();
    }

    /// Stops it as [#stop] does, and starts it.
    public Optional<Refusal> restart(int signal, Duration grace) throws InterruptedException {
        var refusal = stop(signal, grace);
        return refusal.isPresent() ? refusal : start();
    }

    /// Removes it with everything in it, whatever state it is in. Its files are out of sight when this returns and go
    /// away in the background.
    public void remove() throws InterruptedException {
        sandboxes.remove(this);
    }

    /// Gives it another name, or none.
    public Optional<Refusal> rename(@Nullable String name) {
        return sandboxes.rename(this, name);
    }

    Optional<Refusal> notRunning() {
        return Optional.of(new Refusal(
                Refusal.Reason.SANDBOX_NOT_RUNNING,
                "sandbox: is " + state().word() + (state() == SandboxState.RUNNING ? "" : "; start it first")));
    }

    private Optional<Refusal> stillThere() {
        lock.lock();
        try {
            return removed ? Optional.of(Sandboxes.noSuch(record.spec().id().toString())) : Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    /// The state once it is none that passes by itself.
    private SandboxState settled() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (passing() && !removed) {
                changed.await();
            }
            return removed ? SandboxState.STOPPED : record.state();
        } finally {
            lock.unlock();
        }
    }

    private boolean passing() {
        return record.state() == SandboxState.CREATING || record.state() == SandboxState.STOPPING;
    }

    /// Waits until it is settled and no PID 1 of it exists, and takes it: until [#entered] nobody else will.
    ///
    /// @return the record of the run that begins, or nothing if it runs already or is no more
    Optional<SandboxRecord> claimStart(JobId job) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (!removed && passing()) {
                changed.await();
            }
            if (removed || record.state() == SandboxState.RUNNING) {
                return Optional.empty();
            }
            deadlineNanos = System.nanoTime() + CREATING_NANOS;
            var before = record;
            record = record.running(job);
            for (var left = CREATING_NANOS; present && left > 0 && !removed; ) {
                left = changed.awaitNanos(left);
            }
            if (removed || present) {
                record = before;
                deadlineNanos = Long.MAX_VALUE;
                changed.signalAll();
                if (present) {
                    throw new SandboxException("what it ran before is still ending");
                }
                return Optional.empty();
            }
            present = true;
            return Optional.of(record);
        } finally {
            lock.unlock();
        }
    }

    /// Its range of user ids is this one, from now on.
    void claimed(int uidBase) {
        lock.lock();
        try {
            record = record.claimed(uidBase);
            save();
        } finally {
            lock.unlock();
        }
    }

    JobId ownId() {
        return record().own();
    }

    int uidBase() {
        return record().uidBase();
    }

    /// Waits until its own process has begun or ended.
    void awaitSettled() throws InterruptedException {
        settled();
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
            activeNanos = System.nanoTime();
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

    /// Whether it may be removed from here on; only the first caller is told so.
    boolean claimRemoval() {
        lock.lock();
        try {
            var first = !removed;
            removed = true;
            changed.signalAll();
            return first;
        } finally {
            lock.unlock();
        }
    }

    /// The connection to a PID 1 that is to end from now on; `null` if it does not run.
    private @Nullable Sandbox leaveRunning(Duration grace) {
        lock.lock();
        try {
            if (record.state() != SandboxState.RUNNING) {
                return null;
            }
            become(SandboxState.STOPPING, null);
            deadlineNanos = System.nanoTime() + grace.toNanos() + STOPPING_NANOS;
            return live;
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

    boolean lives() {
        lock.lock();
        try {
            return live != null;
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
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void become(SandboxState state, @Nullable String problem) {
        record = record.in(state, problem);
        deadlineNanos = Long.MAX_VALUE;
        if (!removed) {
            save();
        }
        changed.signalAll();
    }

    void named(@Nullable String name) {
        lock.lock();
        try {
            record = record.named(name);
            save();
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

    /// Its connection, for an exec; nothing unless it runs.
    Optional<Sandbox> entrance() {
        lock.lock();
        try {
            return record.state() == SandboxState.RUNNING && !removed ? Optional.ofNullable(live) : Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    void execStarts(LocalExecution execution) {
        execs.put(execution.id(), execution);
    }

    void execEnded(LocalExecution execution) {
        execs.remove(execution.id());
        activeNanos = System.nanoTime();
    }

    Collection<LocalExecution> running() {
        return execs.values();
    }

    /// Whether a state that should have passed has not.
    boolean overdue(long nanos) {
        lock.lock();
        try {
            return passing() && nanos - deadlineNanos > 0;
        } finally {
            lock.unlock();
        }
    }

    /// Whether it has lived as long as it may.
    boolean expired(Instant now) {
        return expiresAt().filter(now::isAfter).isPresent();
    }

    /// Whether nothing was run in it for as long as it allows.
    boolean idles(long nanos) {
        var timeout = spec().idleTimeout();
        return timeout != null
                && state() == SandboxState.RUNNING
                && execs.isEmpty()
                && nanos - activeNanos > timeout.toNanos();
    }
}
