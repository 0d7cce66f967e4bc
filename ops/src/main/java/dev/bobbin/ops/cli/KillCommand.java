package dev.bobbin.ops.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Sends the processes of sandboxes a signal.
@Command(
        name = "kill",
        description = "Sends a signal to the process of each sandbox, to all of them if it idles. SIGKILL stops it.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class KillCommand implements Callable<Integer> {
    @Option(
            names = {"-s", "--signal"},
            paramLabel = "SIGNAL",
            description = "Name or number. Default SIGKILL.")
    private @Nullable String signal;

    @Mixin
    private final SandboxNames names = new SandboxNames();

    @Mixin
    private final ServerOptions server;

    KillCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        var how = new Request().put("signal", signal).members();
        return names.each(server, (sandboxes, name) -> sandboxes.tell(name, "kill", how));
    }
}
