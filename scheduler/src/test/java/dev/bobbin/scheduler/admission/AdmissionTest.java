package dev.bobbin.scheduler.admission;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Refusal.Reason;
import dev.bobbin.runner.host.HostCapacity;
import dev.bobbin.scheduler.admission.Admission.Entry;
import dev.bobbin.scheduler.admission.Admission.Stay;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class AdmissionTest {

    private static final long GIB = 1L << 30;

    /// A gate of a machine with 4 GiB and 4,000 pids, whose limits may add up to twice that.
    private static Admission gate(int jobs, int line, Duration patience) {
        return new Admission(new AdmissionConfig(jobs, line, patience, 2), new HostCapacity(2, 4 * GIB, 4000, 0, 0));
    }

    private static Limits limits(long memory, int pids) {
        return new Limits(memory, 0, pids, Duration.ofSeconds(1), 1, 1 << 20);
    }

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
        var gate = gate(1, 1, Duration.ofMillis(50));
        var first = admitted(gate.enter(Stay.PASSING, Limits.DEFAULT));
        assertThat(turnedAway(gate.enter(Stay.PASSING, Limits.DEFAULT))).isEqualTo(Reason.BUSY);
        first.close();
        first.close();
        var second = admitted(gate.enter(Stay.PASSING, Limits.DEFAULT));
        assertThat(turnedAway(gate.enter(Stay.PASSING, Limits.DEFAULT))).isEqualTo(Reason.BUSY);
        second.close();
        assertThat(gate.waiting()).isZero();
    }

    @Test
    void turnsAwayWhoeverFindsTheLineFull() throws InterruptedException {
        var gate = gate(1, 0, Duration.ofMinutes(1));
        try (var _ = admitted(gate.enter(Stay.PASSING, Limits.DEFAULT))) {
            assertThat(turnedAway(gate.enter(Stay.PASSING, Limits.DEFAULT))).isEqualTo(Reason.BUSY);
        }
    }

    @Test
    void letsTheNextInWhenAJobEnds() throws Exception {
        var gate = gate(1, 1, Duration.ofMinutes(1));
        var first = admitted(gate.enter(Stay.PASSING, Limits.DEFAULT));
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            Callable<Entry> enter = () -> gate.enter(Stay.PASSING, Limits.DEFAULT);
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
        var gate = gate(1, 8, Duration.ofMinutes(1));
        try (var _ = admitted(gate.enter(Stay.PASSING, Limits.DEFAULT));
                var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            Callable<Entry> enter = () -> gate.enter(Stay.PASSING, Limits.DEFAULT);
            var one = tasks.submit(enter);
            var two = tasks.submit(enter);
            while (gate.waiting() < 2) {
                Thread.onSpinWait();
            }
            gate.drain();
            assertThat(turnedAway(one.get())).isEqualTo(Reason.DRAINING);
            assertThat(turnedAway(two.get())).isEqualTo(Reason.DRAINING);
            assertThat(turnedAway(gate.enter(Stay.PASSING, Limits.DEFAULT))).isEqualTo(Reason.DRAINING);
        }
    }

    @Test
    void neverHoldsMoreThanItsPlaces() throws Exception {
        var gate = gate(3, 1000, Duration.ofMinutes(1));
        var inside = new AtomicInteger();
        var most = new AtomicInteger();
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            for (var job = 0; job < 200; job++) {
                var _ = tasks.submit(() -> {
                    try (var _ = admitted(gate.enter(Stay.PASSING, Limits.DEFAULT))) {
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

    @Test
    void admitsUntilTheMemoryOfAllIsOvercommitted() throws InterruptedException {
        var gate = gate(100, 0, Duration.ZERO);
        try (var _ = admitted(gate.enter(Stay.PASSING, limits(4 * GIB, 10)));
                var _ = admitted(gate.enter(Stay.PASSING, limits(4 * GIB, 10)))) {
            switch (gate.enter(Stay.PASSING, limits(GIB, 10))) {
                case Entry.Admitted _ -> throw new AssertionError("admitted");
                case Entry.TurnedAway away -> {
                    assertThat(away.refusal().reason()).isEqualTo(Reason.BUSY);
                    assertThat(away.refusal().detail()).contains("memory").contains("2.0 times");
                }
            }
        }
        admitted(gate.enter(Stay.PASSING, limits(GIB, 10))).close();
    }

    @Test
    void admitsUntilThePidsOfAllAreOvercommitted() throws InterruptedException {
        var gate = gate(100, 0, Duration.ZERO);
        try (var _ = admitted(gate.enter(Stay.PASSING, limits(1 << 22, 4000)));
                var _ = admitted(gate.enter(Stay.PASSING, limits(1 << 22, 3999)))) {
            assertThat(turnedAway(gate.enter(Stay.PASSING, limits(1 << 22, 2)))).isEqualTo(Reason.BUSY);
            admitted(gate.enter(Stay.PASSING, limits(1 << 22, 1))).close();
        }
    }

    @Test
    void letsNobodyOvertakeALargeJob() throws Exception {
        var gate = gate(100, 8, Duration.ofMinutes(1));
        var first = admitted(gate.enter(Stay.PASSING, limits(4 * GIB, 1)));
        var second = admitted(gate.enter(Stay.PASSING, limits(3 * GIB, 1)));
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            var large = tasks.submit(() -> gate.enter(Stay.PASSING, limits(4 * GIB, 1)));
            while (gate.waiting() < 1) {
                Thread.onSpinWait();
            }
            var small = tasks.submit(() -> gate.enter(Stay.PASSING, limits(GIB / 2, 1)));
            while (gate.waiting() < 2) {
                Thread.onSpinWait();
            }
            assertThat(small.isDone()).isFalse();
            second.close();
            admitted(large.get()).close();
            admitted(small.get()).close();
        }
        first.close();
    }

    @Test
    void letsTheNextInWhenTheFirstOfTheLineGivesUp() throws Exception {
        var gate = gate(100, 8, Duration.ofMillis(300));
        try (var _ = admitted(gate.enter(Stay.PASSING, limits(4 * GIB, 1)));
                var _ = admitted(gate.enter(Stay.PASSING, limits(3 * GIB, 1)));
                var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            var large = tasks.submit(() -> gate.enter(Stay.PASSING, limits(4 * GIB, 1)));
            while (gate.waiting() < 1) {
                Thread.onSpinWait();
            }
            TimeUnit.MILLISECONDS.sleep(100);
            var small = tasks.submit(() -> gate.enter(Stay.PASSING, limits(GIB / 2, 1)));
            assertThat(turnedAway(large.get())).isEqualTo(Reason.BUSY);
            admitted(small.get()).close();
        }
    }

    @Test
    void countsJobsThatRanBeforeItBegan() throws Exception {
        var gate = gate(1, 0, Duration.ZERO);
        var before = gate.readmit(Stay.PASSING, limits(64 * GIB, 1));
        assertThat(turnedAway(gate.enter(Stay.PASSING, limits(GIB, 1)))).isEqualTo(Reason.BUSY);
        before.close();
        admitted(gate.enter(Stay.PASSING, limits(4 * GIB, 1))).close();
    }

    /// A gate of the same machine for at most so many sandboxes, whose limits count for an eighth of a job's.
    private static Admission gate(int sandboxes) {
        return new Admission(
                new AdmissionConfig(1, 0, Duration.ZERO, 2, sandboxes, 16), new HostCapacity(2, 4 * GIB, 4000, 0, 0));
    }

    @Test
    void countsALastingSandboxForAPartOfAJob() throws InterruptedException {
        var gate = gate(100);
        for (var sandbox = 0; sandbox < 16; sandbox++) {
            admitted(gate.enter(Stay.LASTING, limits(4 * GIB, 4)));
        }
        assertThat(turnedAway(gate.enter(Stay.LASTING, limits(4 << 20, 4)))).isEqualTo(Reason.BUSY);

        var other = gate(100);
        for (var sandbox = 0; sandbox < 16; sandbox++) {
            admitted(other.enter(Stay.LASTING, limits(GIB, 4000)));
        }
        assertThat(turnedAway(other.enter(Stay.LASTING, limits(GIB, 1)))).isEqualTo(Reason.BUSY);
    }

    @Test
    void boundsSandboxesAndJobsEachByTheirOwnNumber() throws InterruptedException {
        var gate = gate(2);
        var first = admitted(gate.enter(Stay.LASTING, Limits.DEFAULT));
        admitted(gate.enter(Stay.LASTING, Limits.DEFAULT));
        assertThat(turnedAway(gate.enter(Stay.LASTING, Limits.DEFAULT))).isEqualTo(Reason.BUSY);
        admitted(gate.enter(Stay.PASSING, Limits.DEFAULT));
        assertThat(turnedAway(gate.enter(Stay.PASSING, Limits.DEFAULT))).isEqualTo(Reason.BUSY);
        first.close();
        admitted(gate.enter(Stay.LASTING, Limits.DEFAULT));
    }

    @Test
    void takesTheFirstJobWhateverSandboxesThereAre() throws InterruptedException {
        var gate = gate(100);
        for (var sandbox = 0; sandbox < 16; sandbox++) {
            gate.readmit(Stay.LASTING, limits(4 * GIB, 4000));
        }
        admitted(gate.enter(Stay.PASSING, limits(4 * GIB, 4000)));
    }

    @Test
    void takesAThousandUsualSandboxesOnASmallMachineAsItIsConfiguredFirst() throws InterruptedException {
        var gate = new Admission(AdmissionConfig.DEFAULT, new HostCapacity(2, 2 * GIB, 32_768, 0, 0));
        for (var sandbox = 0; sandbox < 1000; sandbox++) {
            admitted(gate.enter(Stay.LASTING, Limits.DEFAULT));
        }
    }
}
