package dev.bobbin.benchmarks;

/// Stands for a benchmark in the tests of the walls.
public final class PlantedBenchmark {
    private PlantedBenchmark() {}
}
