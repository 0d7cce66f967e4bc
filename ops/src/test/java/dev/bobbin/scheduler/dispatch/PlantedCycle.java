package dev.bobbin.scheduler.dispatch;

import dev.bobbin.ops.config.Quantities;
import dev.bobbin.runner.wire.Wire;
import dev.bobbin.scheduler.placement.PlantedCounting;
import org.sqlite.PlantedConnection;
import redis.clients.jedis.PlantedClient;

/// Breaks the walls on purpose: the other half of a cycle, stores that belong elsewhere, and another module's inside.
public final class PlantedCycle {
    private PlantedCycle() {}

    public static Class<?> turn() {
        PlantedClient.connect();
        PlantedConnection.open();
        return Quantities.bytes("1") > 0 ? PlantedCounting.class : Wire.class;
    }
}
