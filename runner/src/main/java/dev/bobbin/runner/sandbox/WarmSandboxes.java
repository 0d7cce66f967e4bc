package dev.bobbin.runner.sandbox;

import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.StartTimeline;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.ToIntFunction;

/// Sandboxes prepared before anybody asks; each serves one job of any image and is never used again. Safe for many
/// threads.
public final class WarmSandboxes implements AutoCloseable {
    /* Two things are bounded: how many sandboxes are made at once, since more than a few per processor only wait for the
     * kernel's locks, and how many are dying, since a network namespace is taken down long after its last process and
     * creation can outrun destruction. A taken sandbox is replaced in the background. */

    private static final System.Logger LOG = System.getLogger(WarmSandboxes.class.getName());
    private static final int STARTING_PER_CPU = 2;
    private static final int MOST_DYING = 64;

    private final SandboxFiles files;
    private final Nursery nursery;
    private final int size;
    private final Semaphore starting;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition fewerDying = lock.newCondition();
    private final Deque<Parked> parked = new ArrayDeque<>();
    /// Made here and given to no job.
    private final Set<SandboxId> jobless = ConcurrentHashMap.newKeySet();
    private final Set<SandboxId> dying = ConcurrentHashMap.newKeySet();
    private final Map<StartTimeline.Path, Counter> taken = new EnumMap<>(StartTimeline.Path.class);
    private int refilling;
    private boolean closed;

    private record Parked(Sandbox sandbox, int pid) {}

    /// A sandbox for one job, and whether it had been waiting.
    ///
    /// @param pid this machine's number of its PID 1
    public record Taken(Sandbox sandbox, int pid, StartTimeline.Path path) {}

    /// A sandbox that lasts.
    ///
    /// @param pid this machine's number of its PID 1
    /// @param uidBase its range of user ids
    public record Lasting(Sandbox sandbox, int pid, int uidBase) {}

    /// @param size how many are kept parked; 0 for none
    public WarmSandboxes(SandboxFiles files, Nursery nursery, int size, MeterRegistry meters) {
        this.files = files;
        this.nursery = nursery;
        this.size = size;
        this.starting = new Semaphore(STARTING_PER_CPU * Runtime.getRuntime().availableProcessors());
        for (var path : new StartTimeline.Path[] {StartTimeline.Path.PARKED, StartTimeline.Path.COLD}) {
            taken.put(
                    path,
                    Counter.builder("bobbin.sandboxes.taken")
                            .description("Sandboxes given to jobs, by whether one was parked")
                            .tag("path", path.word())
                            .register(meters));
        }
        gauge(meters, "parked", pool -> pool.parked.size());
        gauge(meters, "starting", pool -> pool.refilling);
        gauge(meters, "dying", pool -> pool.dying.size());
        refill();
    }

    private void gauge(MeterRegistry meters, String state, ToIntFunction<WarmSandboxes> count) {
        Gauge.builder("bobbin.sandboxes", this, pool -> pool.counted(count))
                .description("Sandboxes that run no job, by state")
                .tag("state", state)
                .register(meters);
    }

    private int counted(ToIntFunction<WarmSandboxes> count) {
        lock.lock();
        try {
            return count.applyAsInt(this);
        } finally {
            lock.unlock();
        }
    }

    /// How many are parked now.
    public int parked() {
        return counted(pool -> pool.parked.size());
    }

    /// A sandbox for one job: a parked one, or a new one, as always where the network is the machine's.
    ///
    /// @throws SandboxException if none could be made
    public Taken take(Network network) throws InterruptedException {
        Parked waiting;
        lock.lock();
        try {
            waiting = network instanceof Network.Host ? null : parked.poll();
        } finally {
            lock.unlock();
        }
        var path = waiting == null ? StartTimeline.Path.COLD : StartTimeline.Path.PARKED;
        var made = waiting == null ? make(network) : waiting;
        jobless.remove(made.sandbox().id());
        var counter = taken.get(path);
        if (counter != null) {
            counter.increment();
        }
        return new Taken(made.sandbox(), made.pid(), path);
    }

    /// Replaces what was taken. Called once a taken sandbox has begun its work, so that making the next one does not
    /// stand in its way.
    public void refill() {
        lock.lock();
        try {
            while (!closed && parked.size() + refilling < size) {
                refilling++;
                Thread.ofVirtual().name("park").start(this::park);
            }
        } finally {
            lock.unlock();
        }
    }

    private void park() {
        try {
            var sandbox = make(Network.NONE);
            lock.lock();
            try {
                if (!closed) {
                    parked.add(sandbox);
                    return;
                }
            } finally {
                lock.unlock();
            }
            discard(sandbox.sandbox());
        } catch (SandboxException e) {
            // the next job tries again by itself and reports what it met
            LOG.log(Level.WARNING, "a sandbox could not be parked: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.lock();
            try {
                refilling--;
            } finally {
                lock.unlock();
            }
        }
    }

    private Parked make(Network network) throws InterruptedException {
        awaitFewerDying();
        starting.acquire();
        var id = SandboxId.next();
        jobless.add(id);
        try {
            var spawned = nursery.spawn(id, network);
            return new Parked(Sandbox.connect(files, id), spawned.pid());
        } catch (IOException e) {
            nursery.destroy(id);
            throw new SandboxException("connect to sandbox " + id, e);
        } finally {
            starting.release();
        }
    }

    /// A sandbox that lasts, with the files that it had before.
    ///
    /// @param own of its own process
    /// @param uidBase its range of user ids, 0 to choose one
    public Lasting takeLasting(SandboxId id, JobId own, int uidBase, Network network) throws InterruptedException {
        awaitFewerDying();
        starting.acquire();
        try {
            var made = nursery.spawn(id, own, uidBase, network);
            return new Lasting(connect(id, made, uidBase == 0), made.pid(), made.uidBase());
        } finally {
            starting.release();
        }
    }

    private Sandbox connect(SandboxId id, Nursery.Spawned made, boolean fresh) {
        try {
            return Sandbox.connect(files, id);
        } catch (IOException | SandboxException e) {
            nursery.destroy(id);
            if (fresh) {
                nursery.free(made.uidBase());
            }
            throw e instanceof SandboxException problem ? problem : new SandboxException("connect to sandbox " + id, e);
        }
    }

    private void awaitFewerDying() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (dying.size() >= MOST_DYING) {
                fewerDying.await();
            }
        } finally {
            lock.unlock();
        }
    }

    /// Waits until every sandbox that was told to exit is gone, or `timeout` has passed.
    public void awaitGone(Duration timeout) throws InterruptedException {
        var left = timeout.toNanos();
        lock.lockInterruptibly();
        try {
            while (!dying.isEmpty() && left > 0) {
                left = fewerDying.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    /// Forgets a sandbox that ended without ever having had a job.
    ///
    /// @return whether it was one of those, so that nobody else removes what is left of it
    public boolean endedJobless(SandboxId id) {
        if (!jobless.remove(id)) {
            return false;
        }
        boolean wasParked;
        lock.lock();
        try {
            wasParked = parked.removeIf(waiting -> waiting.sandbox().id().equals(id));
        } finally {
            lock.unlock();
        }
        // one that could not even be parked is not tried again before somebody asks
        if (wasParked) {
            refill();
        }
        return true;
    }

    /// Those that were told to exit and are not gone.
    public Set<SandboxId> dying() {
        return Set.copyOf(dying);
    }

    /// Notes that a sandbox was told to exit.
    public void dies(SandboxId id) {
        dying.add(id);
    }

    /// Notes that a sandbox is gone, or that nobody will say when it is.
    public void gone(SandboxId id) {
        if (dying.remove(id)) {
            lock.lock();
            try {
                fewerDying.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    private void discard(Sandbox sandbox) {
        dies(sandbox.id());
        try (sandbox) {
            sandbox.own().recorded();
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "sandbox " + sandbox.id() + " was gone already", e);
        }
    }

    /// Lets every parked sandbox go; jobs that run are not touched.
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            parked.forEach(waiting -> discard(waiting.sandbox()));
            parked.clear();
        } finally {
            lock.unlock();
        }
    }
}
