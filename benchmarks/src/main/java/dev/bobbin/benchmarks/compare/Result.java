package dev.bobbin.benchmarks.compare;

/// What was measured of one contender.
final class Result {
    final Contender contender;
    /// One client that pauses between two runs, so that what a run leaves behind is over before the next.
    final Meter.Samples alone = new Meter.Samples();
    /// One client that does not.
    final Meter.Samples unpaused = new Meter.Samples();
    final Meter.Samples by16 = new Meter.Samples();
    final Meter.Samples by32 = new Meter.Samples();

    Result(Contender contender) {
        this.contender = contender;
    }

    String name() {
        return contender.name();
    }

    double p50() {
        return alone.micros(0.5);
    }

    double p99() {
        return alone.micros(0.99);
    }

    long failures() {
        return alone.failures() + unpaused.failures() + by16.failures() + by32.failures();
    }
}
