package dev.bobbin.scheduler.http.v1;

import dev.bobbin.scheduler.placement.Placement;

/// Breaks the walls on purpose: a dialect that places jobs itself.
public final class PlantedDialect {
    private PlantedDialect() {}

    public static Class<?> place() {
        return Placement.class;
    }
}
