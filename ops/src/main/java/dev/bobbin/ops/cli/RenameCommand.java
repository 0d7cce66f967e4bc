package dev.bobbin.ops.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// Gives a sandbox another name.
@Command(
        name = "rename",
        description = "Gives a sandbox another name.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class RenameCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "SANDBOX", description = "Id or name.")
    private String sandbox = "";

    @Parameters(index = "1", paramLabel = "NAME")
    private String name = "";

    @Mixin
    private final ServerOptions server;

    RenameCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        return server.askOfSandboxes(sandboxes -> {
            sandboxes.rename(sandbox, name);
            return 0;
        });
    }
}
