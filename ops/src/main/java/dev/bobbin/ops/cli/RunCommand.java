package dev.bobbin.ops.cli;

import dev.bobbin.ops.config.BobbinConfig;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Runs one command in a sandbox and ends as it ended.
@Command(
        name = "run",
        description = {
            "Runs CMD in a sandbox of its own and ends with its exit code.",
            "Uses the server of the run directory; without one, a server within this command, gone with it."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class RunCommand implements Callable<Integer> {
    /// As in docker: the job was refused, or the server failed.
    static final int NOTHING_RAN = 125;

    private final Map<String, String> environment;
    private final Server.Starter starter;

    @Option(names = "--image", paramLabel = "IMAGE", description = "Default: host, this machine's own programs.")
    private @Nullable String image;

    @Option(names = "--env", paramLabel = "K=V", description = "Sets a variable; repeatable.")
    private Map<String, String> env = Map.of();

    @Option(names = "--workdir", paramLabel = "DIR", description = "Absolute path; made if absent.")
    private @Nullable String workdir;

    @Option(names = "--user", paramLabel = "USER", description = "Name or uid, with :group or :gid.")
    private @Nullable String user;

    @Option(names = "--memory", paramLabel = "SIZE", description = "Default 512MiB.")
    private @Nullable String memory;

    @Option(names = "--cpus", paramLabel = "N", description = "Default: all of the host's.")
    private @Nullable BigDecimal cpus;

    @Option(names = "--pids", paramLabel = "N", description = "Processes and threads. Default 1024.")
    private @Nullable Integer pids;

    @Option(names = "--disk", paramLabel = "SIZE", description = "Default 1GiB.")
    private @Nullable String disk;

    @Option(names = "--time", paramLabel = "TIME", description = "Such as 250ms, 30s, 5m. Default 1h.")
    private @Nullable String time;

    @Option(names = "--label", paramLabel = "K=V", description = "A note kept with the job; repeatable.")
    private Map<String, String> labels = Map.of();

    @Option(names = "--stdin", description = "Passes standard input on to the command.")
    private boolean stdin;

    @Option(names = "--json", description = "Prints one JSON object at the end instead of the output as it comes.")
    private boolean json;

    @Option(names = "--run-dir", paramLabel = "DIR", description = "Where to find the server. Default /run/bobbin.")
    private @Nullable String runDir;

    @Option(names = "--config", paramLabel = "FILE", description = "Settings in YAML.")
    private @Nullable Path config;

    @Parameters(paramLabel = "CMD", description = "The command, after --. Default: the image's own.")
    private List<String> command = List.of();

    RunCommand(Map<String, String> environment, Server.Starter starter) {
        this.environment = environment;
        this.starter = starter;
    }

    @Override
    public Integer call() throws IOException {
        Map<String, List<String>> flags = runDir == null ? Map.of() : Map.of("run-dir", List.of(runDir));
        var settings = BobbinConfig.read(flags, environment, config);
        var live = connect(settings.socket());
        if (live != null) {
            try (var run = new JobClient(settings.socket(), live, time)) {
                Runtime.getRuntime().addShutdownHook(new Thread(run::leave, "bobbin-leave"));
                return run.run(request(), stdin, json);
            }
        }
        try (var embedded = EmbeddedServer.start(settings, starter)) {
            Runtime.getRuntime().addShutdownHook(new Thread(embedded::close, "bobbin-stop"));
            try (var run = new JobClient(embedded.socket(), HttpConnection.connect(embedded.socket()), time)) {
                embedded.beforeClose(run::leave);
                return run.run(request(), stdin, json);
            }
        }
    }

    /// A connection to the live server, or nothing if there is none.
    private static @Nullable HttpConnection connect(Path socket) {
        if (!Files.exists(socket)) {
            return null;
        }
        try {
            return HttpConnection.connect(socket);
        } catch (java.net.ConnectException _) {
            return null; // left behind by a server that was killed
        } catch (IOException failed) {
            throw new StartException("The server's socket " + socket + " cannot be opened ("
                    + String.valueOf(failed.getMessage()).toLowerCase(java.util.Locale.ROOT)
                    + "): run as the server's user, for example with sudo.");
        }
    }

    private Map<String, Object> request() {
        var request = new LinkedHashMap<String, Object>();
        if (!command.isEmpty()) {
            request.put("command", command);
        }
        put(request, "image", image);
        put(request, "workdir", workdir);
        put(request, "user", user);
        if (!env.isEmpty()) {
            request.put("env", env);
        }
        if (!labels.isEmpty()) {
            request.put("labels", labels);
        }
        var limits = new LinkedHashMap<String, Object>();
        put(limits, "memory", number(memory));
        put(limits, "cpus", cpus);
        put(limits, "pids", pids);
        put(limits, "disk", number(disk));
        put(limits, "time", number(time));
        if (!limits.isEmpty()) {
            request.put("limits", limits);
        }
        if (stdin) {
            request.put("stdin", "open");
        }
        return request;
    }

    /// A size or duration without a unit is a number in the API.
    private static @Nullable Object number(@Nullable String text) {
        return text != null && text.matches("[0-9]{1,18}(\\.[0-9]{1,9})?") ? new BigDecimal(text) : text;
    }

    private static void put(Map<String, Object> object, String name, @Nullable Object value) {
        if (value != null) {
            object.put(name, value);
        }
    }
}
