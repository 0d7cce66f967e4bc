package dev.bobbin.ops;

import dev.bobbin.benchmarks.PlantedBenchmark;

/// Breaks the walls on purpose: ops that knows how fast it is.
final class PlantedCurious {
    private PlantedCurious() {}

    static Class<?> measure() {
        return PlantedBenchmark.class;
    }
}
