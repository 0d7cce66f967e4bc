package dev.bobbin.ops.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// Stops sandboxes.
@Command(
        name = "stop",
        description = "Stops sandboxes: a signal, then after a while SIGKILL. Their files stay.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class StopCommand implements Callable<Integer> {
    @Mixin
    private final StopOptions how = new StopOptions();

    @Mixin
    private final SandboxNames names = new SandboxNames();

    @Mixin
    private final ServerOptions server;

    StopCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        var asked = how.request().members();
        return names.each(server, (sandboxes, name) -> sandboxes.tell(name, "stop", asked));
    }
}
