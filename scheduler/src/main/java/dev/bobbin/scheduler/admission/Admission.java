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
     * reservations, so these may add up to several times what the machine has. A sandbox that lasts mostly idles, so the
     * same caps count for less, and it takes none of the jobs' places but one of its own kind. The line is strict: a small
     * job does not overtake a large one, which would otherwise wait for ever. */

    private final AdmissionConfig config;
    private final Room room;
    private final ReentrantLock lock = new ReentrantLock();
    private final Deque<Waiting> line = new ArrayDeque<>();
    private long jobs;
    private long sandboxes;
    private long memoryBytes;
    private long pids;
    private boolean draining;

    /// Who comes.
    public enum Stay {
        /// A job with a sandbox of its own, which goes with it.
        PASSING,
        /// A sandbox that lasts.
        LASTING
    }

    private record Room(long memoryBytes, long pids) {}

    /// What somebody counts for.
    private record Need(Stay stay, long memoryBytes, long pids) {}

    private static final class Waiting {
        private final Need need;
        private final Condition changed;
        private boolean admitted;

        Waiting(Need need, Condition changed) {
            this.need = need;
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

    /// Asks for room for what has these limits, no larger than the machine.
    public Entry enter(Stay stay, Limits limits) throws InterruptedException {
        var need = need(stay, limits);
        lock.lockInterruptibly();
        try {
            if (draining) {
                return turnedAwayByDrain();
            }
            if (line.isEmpty() && hasRoom(need)) {
                return new Entry.Admitted(take(need));
            }
            return waitInLine(need);
        } finally {
            lock.unlock();
        }
    }

    /// A ticket for what runs already, whether there is room or not.
    public Ticket readmit(Stay stay, Limits limits) {
        lock.lock();
        try {
            return take(need(stay, limits));
        } finally {
            lock.unlock();
        }
    }

    private Need need(Stay stay, Limits limits) {
        return switch (stay) {
            case PASSING -> new Need(stay, limits.memoryBytes(), limits.pids());
            case LASTING -> {
                var share = config.overcommit() / config.sandboxOvercommit();
                yield new Need(
                        stay, (long) Math.ceil(limits.memoryBytes() * share), (long) Math.ceil(limits.pids() * share));
            }
        };
    }

    /// Jobs and sandboxes that wait for room now.
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

    private Entry waitInLine(Need need) throws InterruptedException {
        if (line.size() >= config.line()) {
            return turnedAway(Reason.BUSY, whatIsTaken(need) + ", and the line is full; try again");
        }
        var waiting = new Waiting(need, lock.newCondition());
        line.addLast(waiting);
        var left = config.patience().toNanos();
        try {
            while (!waiting.admitted && !draining && left > 0) {
                left = waiting.changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            if (waiting.admitted) {
                giveBack(need);
            }
            throw e;
        } finally {
            if (line.remove(waiting)) {
                admitNext();
            }
        }
        if (waiting.admitted) {
            return new Entry.Admitted(new Ticket(() -> leave(need)));
        }
        return draining
                ? turnedAwayByDrain()
                : turnedAway(
                        Reason.BUSY,
                        whatIsTaken(need) + ", and nothing came free within "
                                + config.patience().toSeconds() + " s; try again");
    }

    private boolean hasRoom(Need need) {
        return hasPlace(need) && (isAlone(need) || (hasMemory(need) && hasPids(need)));
    }

    private boolean hasPlace(Need need) {
        return switch (need.stay) {
            case PASSING -> jobs < config.jobs();
            case LASTING -> sandboxes < config.sandboxes();
        };
    }

    /// The first job is taken whatever there is of sandboxes, so that nothing waits for what may never come.
    private boolean isAlone(Need need) {
        return need.stay == Stay.PASSING && jobs == 0;
    }

    private boolean hasMemory(Need need) {
        return memoryBytes + need.memoryBytes <= room.memoryBytes;
    }

    private boolean hasPids(Need need) {
        return pids + need.pids <= room.pids;
    }

    private Ticket take(Need need) {
        count(need, 1);
        return new Ticket(() -> leave(need));
    }

    private void count(Need need, int times) {
        switch (need.stay) {
            case PASSING -> jobs += times;
            case LASTING -> sandboxes += times;
        }
        memoryBytes += times * need.memoryBytes;
        pids += times * need.pids;
    }

    private void leave(Need need) {
        lock.lock();
        try {
            giveBack(need);
        } finally {
            lock.unlock();
        }
    }

    private void giveBack(Need need) {
        count(need, -1);
        admitNext();
    }

    private void admitNext() {
        while (!draining && !line.isEmpty() && hasRoom(line.getFirst().need)) {
            var next = line.removeFirst();
            count(next.need, 1);
            next.admitted = true;
            next.changed.signal();
        }
    }

    private String whatIsTaken(Need need) {
        if (!hasPlace(need)) {
            return switch (need.stay) {
                case PASSING -> "all " + config.jobs() + " places are taken";
                case LASTING -> "all " + config.sandboxes() + " places of sandboxes are taken";
            };
        }
        if (!hasMemory(need)) {
            return "the memory limits of what runs count for " + memoryBytes + " bytes, and with " + need.memoryBytes
                    + " more for over " + config.overcommit() + " times what this machine has";
        }
        if (!hasPids(need)) {
            return "the pids limits of what runs count for " + pids + ", and with " + need.pids + " more for over "
                    + config.overcommit() + " times what this machine has";
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
