package dev.bobbin.ops.cli;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// Starts sandboxes that do not run.
@Command(
        name = "start",
        description = "Starts sandboxes that do not run, with the files they had.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class StartCommand implements Callable<Integer> {
    @Mixin
    private final SandboxNames names = new SandboxNames();

    @Mixin
    private final ServerOptions server;

    StartCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        return names.each(server, (sandboxes, name) -> sandboxes.tell(name, "start", Map.of()));
    }
}
