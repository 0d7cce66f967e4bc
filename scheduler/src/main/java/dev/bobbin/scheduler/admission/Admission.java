package dev.bobbin.scheduler.admission;

import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.Refusal.Reason;
import dev.bobbin.runner.host.HostCapacity;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// The gate. A job for which there is room passes at once; others wait in a bounded line for a bounded time, and enter
/// in the order in which they came. Safe for many threads.
public final class Admission {
    /* Room is counted in jobs, in the memory and in the pids that they may use at most. Limits are caps and not
     * reservations, so these may add up to several times what the machine has. The line is strict: a small job does not
     * overtake a large one, which would otherwise wait for ever. */

    private final AdmissionConfig config;
    private final Room room;
    private final ReentrantLock lock = new ReentrantLock();
    private final Deque<Waiting> line = new ArrayDeque<>();
    private long jobs;
    private long memoryBytes;
    private long pids;
    private boolean draining;

    private record Room(long memoryBytes, long pids) {}

    private static final class Waiting {
        private final Limits limits;
        private final Condition changed;
        private boolean admitted;

        Waiting(Limits limits, Condition changed) {
            this.limits = limits;
            this.changed = changed;
        }
    }

    public Admission(AdmissionConfig config, HostCapacity capacity) {
        this.config = config;
        this.room = new Room(
                (long) (capacity.memoryBytes() * config.overcommit()), (long) (capacity.pids() * config.overcommit()));
    }

    /// What the gate says: come in, or go away and why.
    public sealed interface Entry {
        record Admitted(Ticket ticket) implements Entry {}

        record TurnedAway(Refusal refusal) implements Entry {}
    }

    /// Asks for room for a job with these limits, no larger than the machine.
    public Entry enter(Limits limits) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            if (draining) {
                return turnedAwayByDrain();
            }
            if (line.isEmpty() && hasRoom(limits)) {
                return new Entry.Admitted(take(limits));
            }
            return waitInLine(limits);
        } finally {
            lock.unlock();
        }
    }

    /// A ticket for a job that runs already, whether there is room or not.
    public Ticket readmit(Limits limits) {
        lock.lock();
        try {
            return take(limits);
        } finally {
            lock.unlock();
        }
    }

    /// Jobs that wait for room now.
    public int waiting() {
        lock.lock();
        try {
            return line.size();
        } finally {
            lock.unlock();
        }
    }

    /// From now on everybody is turned away, those in line as well.
    public void drain() {
        lock.lock();
        try {
            draining = true;
            line.forEach(waiting -> waiting.changed.signal());
        } finally {
            lock.unlock();
        }
    }

    private Entry waitInLine(Limits limits) throws InterruptedException {
        if (line.size() >= config.line()) {
            return turnedAway(Reason.BUSY, whatIsTaken(limits) + ", and the line is full; try again");
        }
        var waiting = new Waiting(limits, lock.newCondition());
        line.addLast(waiting);
        var left = config.patience().toNanos();
        try {
            while (!waiting.admitted && !draining && left > 0) {
                left = waiting.changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            if (waiting.admitted) {
                giveBack(limits);
            }
            throw e;
        } finally {
            if (line.remove(waiting)) {
                admitNext();
            }
        }
        if (waiting.admitted) {
            return new Entry.Admitted(new Ticket(() -> leave(limits)));
        }
        return draining
                ? turnedAwayByDrain()
                : turnedAway(
                        Reason.BUSY,
                        whatIsTaken(limits) + ", and nothing came free within "
                                + config.patience().toSeconds() + " s; try again");
    }

    private boolean hasRoom(Limits limits) {
        return jobs < config.jobs() && hasMemory(limits) && hasPids(limits);
    }

    /// An empty machine takes any job, so that nothing waits for what can never come.
    private boolean hasMemory(Limits limits) {
        return jobs == 0 || memoryBytes + limits.memoryBytes() <= room.memoryBytes;
    }

    private boolean hasPids(Limits limits) {
        return jobs == 0 || pids + limits.pids() <= room.pids;
    }

    private Ticket take(Limits limits) {
        count(limits);
        return new Ticket(() -> leave(limits));
    }

    private void count(Limits limits) {
        jobs++;
        memoryBytes += limits.memoryBytes();
        pids += limits.pids();
    }

    private void leave(Limits limits) {
        lock.lock();
        try {
            giveBack(limits);
        } finally {
            lock.unlock();
        }
    }

    private void giveBack(Limits limits) {
        jobs--;
        memoryBytes -= limits.memoryBytes();
        pids -= limits.pids();
        admitNext();
    }

    private void admitNext() {
        while (!draining && !line.isEmpty() && hasRoom(line.getFirst().limits)) {
            var next = line.removeFirst();
            count(next.limits);
            next.admitted = true;
            next.changed.signal();
        }
    }

    private String whatIsTaken(Limits limits) {
        if (jobs >= config.jobs()) {
            return "all " + config.jobs() + " places are taken";
        }
        if (!hasMemory(limits)) {
            return "the memory limits of running jobs add up to " + memoryBytes + " bytes, and with "
                    + limits.memoryBytes() + " more to over " + config.overcommit() + " times what this machine has";
        }
        if (!hasPids(limits)) {
            return "the pids limits of running jobs add up to " + pids + ", and with " + limits.pids()
                    + " more to over " + config.overcommit() + " times what this machine has";
        }
        return "others wait already";
    }

    private static Entry turnedAwayByDrain() {
        return turnedAway(Reason.DRAINING, "this server is shutting down and takes no new work");
    }

    private static Entry turnedAway(Reason reason, String detail) {
        return new Entry.TurnedAway(new Refusal(reason, detail));
    }
}
