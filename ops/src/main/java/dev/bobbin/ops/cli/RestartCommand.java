package dev.bobbin.ops.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// Stops sandboxes and starts them.
@Command(
        name = "restart",
        description = "Stops sandboxes as stop does, and starts them.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class RestartCommand implements Callable<Integer> {
    @Mixin
    private final StopOptions how = new StopOptions();

    @Mixin
    private final SandboxNames names = new SandboxNames();

    @Mixin
    private final ServerOptions server;

    RestartCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        var asked = how.request().members();
        return names.each(server, (sandboxes, name) -> sandboxes.tell(name, "restart", asked));
    }
}
