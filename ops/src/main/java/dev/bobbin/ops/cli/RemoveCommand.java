package dev.bobbin.ops.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Removes sandboxes with their files.
@Command(
        name = "rm",
        description = "Removes sandboxes with all that is in them.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class RemoveCommand implements Callable<Integer> {
    @Option(
            names = {"-f", "--force"},
            description = "Those that run as well.")
    private boolean force;

    @Mixin
    private final SandboxNames names = new SandboxNames();

    @Mixin
    private final ServerOptions server;

    RemoveCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        return names.each(server, (sandboxes, name) -> {
            var found = sandboxes.find(name);
            if (!force && found.isPresent()) {
                refuseIfRunning(name, String.valueOf(Json.object(found.get()).get("state")));
            }
            sandboxes.remove(name);
        });
    }

    private static void refuseIfRunning(String name, String state) throws RefusedException {
        if (!state.equals("stopped") && !state.equals("failed")) {
            throw new RefusedException("sandbox \"" + name + "\" is " + state + ": stop it first, or say -f");
        }
    }
}
