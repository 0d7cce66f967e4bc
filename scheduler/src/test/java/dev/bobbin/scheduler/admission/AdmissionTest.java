package dev.bobbin.scheduler.admission;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Refusal.Reason;
import dev.bobbin.scheduler.admission.Admission.Entry;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class AdmissionTest {

    private static Ticket admitted(Entry entry) {
        return switch (entry) {
            case Entry.Admitted in -> in.ticket();
            case Entry.TurnedAway away -> throw new AssertionError(away.refusal());
        };
    }

    private static Reason turnedAway(Entry entry) {
        return switch (entry) {
            case Entry.Admitted _ -> throw new AssertionError("admitted");
            case Entry.TurnedAway away -> away.refusal().reason();
        };
    }

    @Test
    void turnsAwayWhoeverWaitsTooLong() throws InterruptedException {
        var gate = new Admission(new AdmissionConfig(1, 1, Duration.ofMillis(50)));
        var first = admitted(gate.enter());
        assertThat(turnedAway(gate.enter())).isEqualTo(Reason.BUSY);
        first.close();
        first.close();
        var second = admitted(gate.enter());
        assertThat(turnedAway(gate.enter())).isEqualTo(Reason.BUSY);
        second.close();
        assertThat(gate.waiting()).isZero();
    }

    @Test
    void turnsAwayWhoeverFindsTheLineFull() throws InterruptedException {
        var gate = new Admission(new AdmissionConfig(1, 0, Duration.ofMinutes(1)));
        try (var _ = admitted(gate.enter())) {
            assertThat(turnedAway(gate.enter())).isEqualTo(Reason.BUSY);
        }
    }

    @Test
    void letsTheNextInWhenAJobEnds() throws Exception {
        var gate = new Admission(new AdmissionConfig(1, 1, Duration.ofMinutes(1)));
        var first = admitted(gate.enter());
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            Callable<Entry> enter = gate::enter;
            var waiting = tasks.submit(enter);
            while (gate.waiting() == 0) {
                Thread.onSpinWait();
            }
            first.close();
            admitted(waiting.get()).close();
        }
    }

    @Test
    void turnsAwayThoseInLineWhenItDrains() throws Exception {
        var gate = new Admission(new AdmissionConfig(1, 8, Duration.ofMinutes(1)));
        try (var _ = admitted(gate.enter());
                var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            Callable<Entry> enter = gate::enter;
            var one = tasks.submit(enter);
            var two = tasks.submit(enter);
            while (gate.waiting() < 2) {
                Thread.onSpinWait();
            }
            gate.drain();
            assertThat(turnedAway(one.get())).isEqualTo(Reason.DRAINING);
            assertThat(turnedAway(two.get())).isEqualTo(Reason.DRAINING);
            assertThat(turnedAway(gate.enter())).isEqualTo(Reason.DRAINING);
        }
    }

    @Test
    void neverHoldsMoreThanItsPlaces() throws Exception {
        var gate = new Admission(new AdmissionConfig(3, 1000, Duration.ofMinutes(1)));
        var inside = new AtomicInteger();
        var most = new AtomicInteger();
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            for (var job = 0; job < 200; job++) {
                var _ = tasks.submit(() -> {
                    try (var _ = admitted(gate.enter())) {
                        most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                        TimeUnit.MICROSECONDS.sleep(100);
                        inside.decrementAndGet();
                    }
                    return null;
                });
            }
        }
        assertThat(most.get()).isBetween(1, 3);
        assertThat(gate.waiting()).isZero();
    }
}
