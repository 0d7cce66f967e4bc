package dev.bobbin.ops.cli;

import dev.bobbin.ops.config.BobbinConfig;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Serves the API until a signal ends it.
@Command(
        name = "serve",
        description = "Serves the API until SIGTERM or Ctrl-C.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class ServeCommand implements Callable<Integer> {
    private final Map<String, String> environment;
    private final Server.Starter starter;

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            description =
                    "Address to serve, or unix:PATH; repeatable. Default 127.0.0.1:8080. Port 0 takes a free one.")
    private List<String> listen = List.of();

    @Option(
            names = "--data-dir",
            paramLabel = "DIR",
            description = "What must outlive a reboot. Default /var/lib/bobbin.")
    private @Nullable String dataDir;

    @Option(names = "--run-dir", paramLabel = "DIR", description = "Sockets and live state. Default /run/bobbin.")
    private @Nullable String runDir;

    @Option(
            names = "--pool",
            paramLabel = "N",
            description = "Sandboxes kept ready. Default 16; 0 makes each on demand.")
    private @Nullable String pool;

    @Option(
            names = "--drain-timeout",
            paramLabel = "TIME",
            description = "How long waiting callers' jobs may go on after SIGTERM. Default 10s.")
    private @Nullable String drainTimeout;

    @Option(names = "--config", paramLabel = "FILE", description = "Settings in YAML; flags and BOBBIN_* win over it.")
    private @Nullable Path config;

    ServeCommand(Map<String, String> environment, Server.Starter starter) {
        this.environment = environment;
        this.starter = starter;
    }

    @Override
    public Integer call() throws InterruptedException {
        var server = starter.start(BobbinConfig.read(flags(), environment, config));
        // The signal's own status, 143 or 130, is the exit code once this has returned.
        Runtime.getRuntime().addShutdownHook(new Thread(server::close, "bobbin-stop"));
        System.err.println("bobbin: ready on " + String.join(" ", server.addresses()));
        if (ProcessHandle.current().pid() == 1) {
            System.err.println("bobbin: this is process 1, which must also reap other processes and does not;"
                    + " start the container with an init, such as docker run --init.");
        }
        new CountDownLatch(1).await();
        return 0;
    }

    private Map<String, List<String>> flags() {
        var flags = new LinkedHashMap<String, List<String>>();
        if (!listen.isEmpty()) {
            flags.put("listen", listen);
        }
        put(flags, "data-dir", dataDir);
        put(flags, "run-dir", runDir);
        put(flags, "host.pool", pool);
        put(flags, "drain-timeout", drainTimeout);
        return flags;
    }

    private static void put(Map<String, List<String>> flags, String key, @Nullable String value) {
        if (value != null) {
            flags.put(key, List.of(value));
        }
    }
}
