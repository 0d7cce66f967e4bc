package dev.bobbin.ops.cli;

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

/// Runs one command in a sandbox that lasts and ends as it ended.
@Command(
        name = "exec",
        description = {
            "Runs CMD in a sandbox that runs and ends with its exit code; -it gives it this terminal.",
            "SIGINT, SIGTERM, SIGHUP and SIGUSR1 are passed on to it; the same one again ends it."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class ExecCommand implements Callable<Integer> {
    @Mixin
    private final TerminalOptions terminal = new TerminalOptions();

    @Option(
            names = {"-d", "--detach"},
            description = "Prints the job's id and leaves it running.")
    private boolean detach;

    @Mixin
    private final ProcessOptions process = new ProcessOptions();

    @Option(names = "--time", paramLabel = "TIME", description = "Such as 250ms, 30s, 5m. Default 1h.")
    private @Nullable String time;

    @Option(names = "--json", description = "Prints one JSON object at the end instead of the output as it comes.")
    private boolean json;

    @Mixin
    private final ServerOptions server;

    @Parameters(index = "0", paramLabel = "SANDBOX", description = "Id or name.")
    private String sandbox = "";

    @Parameters(index = "1..*", paramLabel = "CMD", description = "The command; options behind SANDBOX are its own.")
    private List<String> command = List.of();

    ExecCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        var socket = server.settings().socket();
        if (detach) {
            return detached(new SandboxClient(ServerOptions.live(socket)));
        }
        terminal.check(json);
        if (terminal.terminal()) {
            return shown(socket);
        }
        try (var exec = new JobClient(socket, ServerOptions.live(socket), time)) {
            Signals.pass(exec::signal);
            return exec.run("/v1/exec", request().members(), terminal.stdin(), json);
        }
    }

    private int shown(Path socket) throws IOException {
        var keys = terminal.detachKeys();
        try (var exec = new TerminalClient(socket, ServerOptions.live(socket), time)) {
            Runtime.getRuntime().addShutdownHook(new Thread(exec::leave, "bobbin-leave"));
            var request = request().put("terminal", exec.size()).put("on_disconnect", "continue");
            return exec.start("/v1/exec", request.members(), terminal.stdin() ? keys : null);
        }
    }

    private int detached(SandboxClient sandboxes) throws IOException {
        try (sandboxes) {
            var request = request().put("terminal", terminal.terminal() ? Map.of() : null);
            System.out.println(sandboxes.exec(request.members()));
            return 0;
        } catch (RefusedException refused) {
            System.err.println("bobbin: " + refused.getMessage());
            return RunCommand.NOTHING_RAN;
        }
    }

    private Request request() {
        var words =
                !command.isEmpty() && command.getFirst().equals("--") ? command.subList(1, command.size()) : command;
        var request = new Request().put("sandbox", sandbox).put("command", words);
        process.putInto(request, terminal.terminal() ? server.environment().get("TERM") : null);
        return request.putUnlessEmpty(
                        "limits", new Request().putAmount("time", time).members())
                .put("stdin", terminal.stdin() ? "open" : null);
    }
}
