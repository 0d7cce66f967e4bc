package com.sun.jna;

/// Stands for JNA in the tests of the walls.
public final class PlantedLibrary {
    private PlantedLibrary() {}

    public static void load() {}
}
