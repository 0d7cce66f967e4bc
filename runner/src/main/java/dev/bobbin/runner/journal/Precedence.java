package dev.bobbin.runner.journal;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Starts of jobs go before those who read much output. Safe for many threads.
public final class Precedence {
    /* A reader that always finds more to read, a client that takes it, the PID 1 that pumps it and the program that prints
     * it keep a small machine busy. If the reader pauses, so do the other three. It pauses while a start is under way, and
     * never longer than PAUSE_NANOS, so a start that is never reported as done costs nothing: there is no count that could
     * stay above zero. One start that is done ends the pause although another may go on, and after a pause there is none
     * for as long again, so that readers have half of the time however many jobs start.
     *
     * Readers take turns too. Virtual threads are run in the order in which they became ready and are not preempted: two
     * hundred readers with something to read would all stand before the thread that starts a job, or answers for one. With
     * turns there are never more than a few of them. A reader that waits for its client keeps nobody waiting for long: its
     * turn is over after TURN_NANOS whether it comes back or not. */

    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    private static final long TURN_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

    private final int turns;
    private final ReadBuffers buffers = new ReadBuffers();
    private final ReentrantLock lock = new ReentrantLock();
    private final Deque<Turn> waiting = new ArrayDeque<>();
    private final Deque<Turn> taken = new ArrayDeque<>();

    // Written without the lock, which a reader may hold while it has no processor. What a race loses is one pause.
    private volatile long pauseBeganNanos = System.nanoTime();
    private volatile long pauseUntilNanos = pauseBeganNanos;
    private volatile long nextPauseNanos = pauseBeganNanos;

    /// With turns for half of the processors.
    public Precedence() {
        this(Math.max(1, Runtime.getRuntime().availableProcessors() / 2));
    }

    /// @param turns how many readers of much output may read at once
    Precedence(int turns) {
        this.turns = turns;
    }

    /// A job is about to be given to its sandbox.
    public void startBegins() {
        var now = System.nanoTime();
        if (nextPauseNanos - now > 0) {
            return;
        }
        pauseBeganNanos = now;
        nextPauseNanos = now + 2 * PAUSE_NANOS;
        pauseUntilNanos = now + PAUSE_NANOS;
    }

    /// The first instruction of a job has run.
    public void startDone() {
        var now = System.nanoTime();
        if (pauseUntilNanos - now <= 0) {
            return;
        }
        pauseUntilNanos = now;
        nextPauseNanos = now + (now - pauseBeganNanos);
        if (lock.tryLock()) { // who has it looks at the time before long
            try {
                wakeFirst();
            } finally {
                lock.unlock();
            }
        }
    }

    /// What its readers read much output to.
    ReadBuffers buffers() {
        return buffers;
    }

    /// What one reader needs to read on when it has read much. Used by one thread.
    Turn turn() {
        return new Turn();
    }

    private void wakeFirst() {
        var first = waiting.peekFirst();
        if (first != null) {
            first.first.signal();
        }
    }

    /// How long the first of those who wait has to wait still, in nanoseconds.
    private long untilNext() {
        var now = System.nanoTime();
        var eldest = taken.peekFirst();
        var untilTurn = eldest == null || taken.size() < turns ? 0 : eldest.sinceNanos + TURN_NANOS - now;
        return Math.max(untilTurn, pauseUntilNanos - now);
    }

    /// A reader's place among the others.
    final class Turn {
        private final Condition first = lock.newCondition();
        private long sinceNanos;
        /// Whether it has to be given back; not whether it is still had.
        private boolean used;

        /// Waits for a turn behind everybody else who waits. A turn it still has is over.
        void take() throws InterruptedException {
            lock.lockInterruptibly();
            try {
                taken.remove(this);
                waiting.addLast(this);
                try {
                    wakeFirst();
                    awaitTurn();
                } finally {
                    waiting.remove(this);
                    wakeFirst();
                }
                if (taken.size() >= turns) {
                    taken.removeFirst();
                }
                sinceNanos = System.nanoTime();
                taken.addLast(this);
                used = true;
            } finally {
                lock.unlock();
            }
        }

        private void awaitTurn() throws InterruptedException {
            while (true) {
                if (waiting.peekFirst() != this) {
                    first.await();
                    continue;
                }
                var wait = untilNext();
                if (wait <= 0) {
                    return;
                }
                first.awaitNanos(wait);
            }
        }

        /// Ends the turn, if it has one, before its time. Called by whoever has nothing more to read.
        void giveBack() {
            if (!used) {
                return;
            }
            used = false;
            lock.lock();
            try {
                if (taken.remove(this)) {
                    wakeFirst();
                }
            } finally {
                lock.unlock();
            }
        }
    }
}
