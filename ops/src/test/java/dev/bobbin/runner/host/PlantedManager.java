package dev.bobbin.runner.host;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.sun.jna.PlantedLibrary;
import dev.bobbin.scheduler.dispatch.PlantedCycle;
import io.helidon.http.Status;
import java.lang.foreign.Linker;

/// Breaks the walls on purpose: a banned name, and libraries that belong elsewhere.
public final class PlantedManager {
    private PlantedManager() {}

    public static String reach() throws InterruptedException {
        PlantedLibrary.load();
        PlantedCycle.turn();
        Thread.sleep(1);
        return System.getenv("HOME") + new JsonMapper() + Status.OK_200 + Linker.nativeLinker();
    }
}
