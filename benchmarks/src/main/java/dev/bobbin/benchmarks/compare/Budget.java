package dev.bobbin.benchmarks.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What the design allows, and which of it was not kept.
final class Budget {
    private static final double PARKED_R = 3;
    private static final double EMPTY_R = 8;
    private static final double ENTERED_R = 3;
    private static final double PARKED_P99_MICROS = 10_000;
    private static final double RUNS_PER_SECOND = 800;
    private static final int CPUS = 2;

    private Budget() {}

    /// One sentence for each row that was missed.
    static List<String> missed(Result r, Result parked, Result empty, Result entered, Optional<Result> bubblewrap) {
        var missed = new ArrayList<String>();
        atMost(missed, "parked, p50 / R", parked.p50() / r.p50(), PARKED_R);
        atMost(missed, "parked, p99 in microseconds", parked.p99(), PARKED_P99_MICROS);
        atMost(missed, "pool empty, p50 / R", empty.p50() / r.p50(), EMPTY_R);
        atMost(missed, "exec, p50 / R", entered.p50() / r.p50(), ENTERED_R);
        bubblewrap.ifPresent(
                peer -> atMost(missed, "parked, p50 in microseconds against bubblewrap", parked.p50(), peer.p50()));
        if (Machine.cpus() >= CPUS && parked.by32.perSecond() < RUNS_PER_SECOND) {
            missed.add(String.format(
                    Locale.ROOT,
                    "runs per second with 32 clients: %.0f, at least %.0f",
                    parked.by32.perSecond(),
                    RUNS_PER_SECOND));
        }
        var failures = parked.failures() + empty.failures() + entered.failures();
        if (failures > 0) {
            missed.add("runs that failed: " + failures + ", none allowed");
        }
        return missed;
    }

    static void atMost(List<String> missed, String what, double measured, double allowed) {
        if (!(measured >= 0 && measured <= allowed)) {
            missed.add(String.format(Locale.ROOT, "%s: %.1f, at most %.1f", what, measured, allowed));
        }
    }
}
