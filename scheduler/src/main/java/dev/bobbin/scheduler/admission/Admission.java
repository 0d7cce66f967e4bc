package dev.bobbin.scheduler.admission;

import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.Refusal.Reason;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// The gate. A job with a place to go passes with one compare-and-set; others wait in a bounded line for a bounded
/// time.
public final class Admission {
    private final AdmissionConfig config;
    private final Semaphore places;
    private final AtomicInteger waiting = new AtomicInteger();
    private volatile boolean draining;

    public Admission(AdmissionConfig config) {
        this.config = config;
        this.places = new Semaphore(config.jobs(), true);
    }

    /// What the gate says: come in, or go away and why.
    public sealed interface Entry {
        record Admitted(Ticket ticket) implements Entry {}

        record TurnedAway(Refusal refusal) implements Entry {}
    }

    public Entry enter() throws InterruptedException {
        if (draining) {
            return turnedAwayByDrain();
        }
        if (waiting.get() > 0 || !places.tryAcquire()) {
            return waitInLine();
        }
        return admitted();
    }

    /// Jobs that wait for a place now.
    public int waiting() {
        return waiting.get();
    }

    /// From now on everybody is turned away, those in line as well.
    public void drain() {
        draining = true;
        places.release(config.line());
    }

    private Entry waitInLine() throws InterruptedException {
        if (waiting.incrementAndGet() > config.line()) {
            waiting.decrementAndGet();
            return turnedAway(
                    Reason.BUSY, "all " + config.jobs() + " places are taken and the line is full; try again");
        }
        try {
            if (!places.tryAcquire(config.patience().toNanos(), TimeUnit.NANOSECONDS)) {
                return turnedAway(
                        Reason.BUSY,
                        "no place came free within " + config.patience().toSeconds() + " s; try again");
            }
        } finally {
            waiting.decrementAndGet();
        }
        return admitted();
    }

    private Entry admitted() {
        if (draining) {
            places.release();
            return turnedAwayByDrain();
        }
        return new Entry.Admitted(new Ticket(places::release));
    }

    private static Entry turnedAwayByDrain() {
        return turnedAway(Reason.DRAINING, "this server is shutting down and takes no new work");
    }

    private static Entry turnedAway(Reason reason, String detail) {
        return new Entry.TurnedAway(new Refusal(reason, detail));
    }
}
