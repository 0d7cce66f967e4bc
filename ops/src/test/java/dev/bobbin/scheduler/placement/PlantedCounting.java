package dev.bobbin.scheduler.placement;

import dev.bobbin.scheduler.dispatch.PlantedCycle;
import io.micrometer.core.instrument.MeterRegistry;

/// Breaks the walls on purpose: metrics in a pure package, and one half of a cycle.
public final class PlantedCounting {
    private PlantedCounting() {}

    public static String count(MeterRegistry meters) {
        return PlantedCycle.class + " " + meters;
    }
}
