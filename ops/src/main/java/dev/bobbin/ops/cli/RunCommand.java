package dev.bobbin.ops.cli;

import dev.bobbin.ops.config.BobbinConfig;
import java.io.IOException;
import java.nio.file.Path;
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
            "Runs CMD in a sandbox of its own and ends with its exit code; -it gives it this terminal.",
            "Uses the server of the run directory; without one, a server within this command, gone with it."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class RunCommand implements Callable<Integer> {
    /// As in docker: the job was refused, or the server failed.
    static final int NOTHING_RAN = 125;

    private static final String HOST = "host";

    @Mixin
    private final PlaceOptions place = new PlaceOptions();

    @Mixin
    private final ProcessOptions process = new ProcessOptions();

    @Option(names = "--time", paramLabel = "TIME", description = "Such as 250ms, 30s, 5m. Default 1h.")
    private @Nullable String time;

    @Mixin
    private final TerminalOptions terminal = new TerminalOptions();

    @Option(names = "--rm", description = "Said or not, the sandbox is removed.")
    @SuppressWarnings("UnusedVariable") // said or not
    private boolean remove;

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
        terminal.check(json);
        var keys = terminal.detachKeys();
        var settings = server.settings();
        var live = ServerOptions.connect(settings.socket());
        if (live != null && terminal.terminal()) {
            return shown(settings.socket(), live, keys);
        }
        if (live != null) {
            try (var run = new JobClient(settings.socket(), live, time)) {
                Runtime.getRuntime().addShutdownHook(new Thread(run::leave, "bobbin-leave"));
                return run.run("/v1/run", request().members(), terminal.stdin(), json);
            }
        }
        if (place.hasVolumes()) {
            throw new StartException("Volumes belong to a server, and none is at " + settings.socket()
                    + ": start one with \"bobbin serve\", or say with --run-dir where it is.");
        }
        try (var embedded = start(settings)) {
            Runtime.getRuntime().addShutdownHook(new Thread(embedded::close, "bobbin-stop"));
            return terminal.terminal() ? shown(embedded) : run(embedded);
        }
    }

    private int run(EmbeddedServer embedded) throws IOException {
        try (var run = new JobClient(embedded.socket(), HttpConnection.connect(embedded.socket()), time)) {
            embedded.beforeClose(run::leave);
            return run.run("/v1/run", request().members(), terminal.stdin(), json);
        }
    }

    private int shown(Path socket, HttpConnection live, DetachKeys keys) throws IOException {
        try (var run = new TerminalClient(socket, live, time)) {
            bring(socket);
            Runtime.getRuntime().addShutdownHook(new Thread(run::leave, "bobbin-leave"));
            var request = request().put("terminal", run.size()).put("on_disconnect", "continue");
            return run.start("/v1/run", request.members(), terminal.stdin() ? keys : null);
        } catch (RefusedException refused) {
            return refused(refused);
        }
    }

    /// Nobody could come back to what is left running in a server that goes with this command, so no keys leave it.
    private int shown(EmbeddedServer embedded) throws IOException {
        try (var run = new TerminalClient(embedded.socket(), HttpConnection.connect(embedded.socket()), time)) {
            bring(embedded.socket());
            embedded.beforeClose(run::leave);
            var request = request().put("terminal", run.size());
            return run.start("/v1/run", request.members(), terminal.stdin() ? new DetachKeys("") : null);
        } catch (RefusedException refused) {
            return refused(refused);
        }
    }

    /// Brings the image where it can be seen coming: the connection of a terminal shows nothing else.
    private void bring(Path socket) throws IOException {
        var image = place.image().filter(name -> !name.equals(HOST));
        var policy = place.pull().orElse("missing");
        if (image.isEmpty() || policy.equals("never")) {
            return;
        }
        try (var images = new ImageClient(HttpConnection.connect(socket))) {
            images.pull(Map.of("image", image.get(), "policy", policy), TransferDisplay.forPeople());
        }
    }

    private static int refused(RefusedException refused) {
        System.err.println("bobbin: " + refused.getMessage());
        return NOTHING_RAN;
    }

    /// The machine's own programs need no image that is kept.
    private EmbeddedServer start(BobbinConfig settings) throws IOException {
        var name = place.image().orElse(settings.defaultImage());
        return name.equals(HOST)
                ? EmbeddedServer.start(settings, server.starter())
                : EmbeddedServer.withImages(settings, server.starter(), 1);
    }

    private Request request() {
        var request = new Request();
        if (!command.isEmpty()) {
            request.put("command", command);
        }
        process.putInto(request, terminal.terminal() ? server.environment().get("TERM") : null);
        var limits = place.putInto(request);
        limits.putAmount("time", time);
        return request.putUnlessEmpty("limits", limits.members()).put("stdin", terminal.stdin() ? "open" : null);
    }
}
