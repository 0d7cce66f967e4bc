package dev.bobbin.benchmarks.compare;

/// What was measured of one contender.
final class Result {
    final Contender contender;
    final Meter.Samples alone = new Meter.Samples();
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
        return alone.failures() + by16.failures() + by32.failures();
    }
}
