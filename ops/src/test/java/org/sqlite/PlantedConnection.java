package org.sqlite;

/// Stands for SQLite in the tests of the walls.
public final class PlantedConnection {
    private PlantedConnection() {}

    public static void open() {}
}
