package dev.bobbin.scheduler.http.minibox;

import dev.bobbin.scheduler.http.v1.PlantedDialect;

/// Breaks the walls on purpose: a dialect that uses another.
public final class PlantedNeighbour {
    private PlantedNeighbour() {}

    public static Class<?> borrow() {
        return PlantedDialect.class;
    }
}
