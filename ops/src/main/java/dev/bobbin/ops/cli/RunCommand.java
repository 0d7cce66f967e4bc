package dev.bobbin.ops.cli;

import dev.bobbin.ops.config.BobbinConfig;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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

    private static final String HOST = "host";

    @Option(names = "--image", paramLabel = "IMAGE", description = "Default: host, this machine's own programs.")
    private @Nullable String image;

    @Option(
            names = "--pull",
            paramLabel = "POLICY",
            description = "When the image's registry is asked: missing (default), always or never.")
    private @Nullable String pull;

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

    @Mixin
    private final ServerOptions server;

    @Parameters(paramLabel = "CMD", description = "The command, after --. Default: the image's own.")
    private List<String> command = List.of();

    RunCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        var settings = server.settings();
        var live = ServerOptions.connect(settings.socket());
        if (live != null) {
            try (var run = new JobClient(settings.socket(), live, time)) {
                Runtime.getRuntime().addShutdownHook(new Thread(run::leave, "bobbin-leave"));
                return run.run(request(), stdin, json);
            }
        }
        try (var embedded = start(settings)) {
            Runtime.getRuntime().addShutdownHook(new Thread(embedded::close, "bobbin-stop"));
            try (var run = new JobClient(embedded.socket(), HttpConnection.connect(embedded.socket()), time)) {
                embedded.beforeClose(run::leave);
                return run.run(request(), stdin, json);
            }
        }
    }

    /// The machine's own programs need no image that is kept.
    private EmbeddedServer start(BobbinConfig settings) throws IOException {
        var name = image == null ? settings.defaultImage() : image;
        return name.equals(HOST)
                ? EmbeddedServer.start(settings, server.starter())
                : EmbeddedServer.withImages(settings, server.starter(), 1);
    }

    private Map<String, Object> request() {
        var request = new LinkedHashMap<String, Object>();
        if (!command.isEmpty()) {
            request.put("command", command);
        }
        put(request, "image", image);
        put(request, "pull", pull);
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
