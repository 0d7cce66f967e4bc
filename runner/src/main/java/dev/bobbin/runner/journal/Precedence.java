package dev.bobbin.runner.journal;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Starts of jobs go before those who read much output. Safe for many threads.
public final class Precedence {
    /* A reader that always finds more to read, a client that takes it, the PID 1 that pumps it and the program that prints
     * it keep a small machine busy. If the reader pauses, so do the other three. It pauses while a start is under way, and
     * never longer than LONGEST_NANOS at a time, so a start that is never reported as done costs nothing: there is no count
     * that could stay above zero. One start that is done ends the pause although another may go on. */

    private static final long LONGEST_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    private static final long LOOK_NANOS = TimeUnit.MICROSECONDS.toNanos(250);

    private volatile long pauseUntilNanos = System.nanoTime();

    /// A job is about to be given to its sandbox.
    public void startBegins() {
        pauseUntilNanos = System.nanoTime() + LONGEST_NANOS;
    }

    /// The first instruction of a job has run.
    public void startDone() {
        pauseUntilNanos = System.nanoTime();
    }

    /// Lets other threads run, and whatever starts start. Called now and then by whoever reads much.
    @SuppressWarnings("ThreadPriorityCheck") // no result depends on it, only who waits how long
    void giveWay() {
        Thread.yield();
        var latest = System.nanoTime() + LONGEST_NANOS;
        for (var now = System.nanoTime();
                pauseUntilNanos - now > 0
                        && latest - now > 0
                        && !Thread.currentThread().isInterrupted();
                now = System.nanoTime()) {
            LockSupport.parkNanos(this, LOOK_NANOS);
        }
    }
}
