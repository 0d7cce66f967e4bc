package dev.bobbin.ops;

import dev.bobbin.ops.cli.Server;
import dev.bobbin.ops.cli.StartException;
import dev.bobbin.ops.config.BobbinConfig;
import dev.bobbin.ops.preflight.Preflight;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// All parts of one server, put together in the order in which they need each other.
final class BobbinServer implements Server {

    static BobbinServer start(BobbinConfig config) {
        check(config);
        throw new StartException("There is no server yet.");
    }

    @Override
    public List<String> addresses() {
        return List.of();
    }

    @Override
    public void close() {}

    private static void check(BobbinConfig config) {
        var preflight = new Preflight(Path.of("/"));
        var missing = new ArrayList<>(preflight.missing());
        if (missing.isEmpty()) {
            missing.addAll(preflight.makeDirectory(config.host().dataDir(), "--data-dir"));
            missing.addAll(preflight.makeDirectory(config.host().runDir(), "--run-dir"));
        }
        if (!missing.isEmpty()) {
            throw new StartException(String.join("\n", missing));
        }
    }
}
