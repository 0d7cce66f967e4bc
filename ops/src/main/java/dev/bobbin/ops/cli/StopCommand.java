package dev.bobbin.ops.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Stops sandboxes.
@Command(
        name = "stop",
        description = "Stops sandboxes: a signal, then after a while SIGKILL. Their files stay.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class StopCommand implements Callable<Integer> {
    @Option(
            names = {"-s", "--signal"},
            paramLabel = "SIGNAL",
            description = "Name or number. Default SIGTERM.")
    private @Nullable String signal;

    @Option(
            names = {"-t", "--time", "--grace"},
            paramLabel = "TIME",
            description = "How long it has before it is killed. Default 10s.")
    private @Nullable String grace;

    @Mixin
    private final SandboxNames names = new SandboxNames();

    @Mixin
    private final ServerOptions server;

    StopCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        var how = new Request().put("signal", signal).putAmount("grace", grace).members();
        return names.each(server, (sandboxes, name) -> sandboxes.tell(name, "stop", how));
    }
}
