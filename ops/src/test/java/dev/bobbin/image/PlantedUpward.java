package dev.bobbin.image;

import dev.bobbin.runner.JobId;
import io.micrometer.core.instrument.MeterRegistry;

/// Breaks the walls on purpose: a module that knows one to its right, and metrics in a root package.
final class PlantedUpward {
    private PlantedUpward() {}

    static String peek(JobId id, MeterRegistry meters) {
        return id + " " + meters;
    }
}
