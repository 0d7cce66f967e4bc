package dev.bobbin.ops.cli;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Forgets names of images.
@Command(
        name = "rmi",
        description = "Forgets names of images; what no name needs is removed. Jobs that run on it go on.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class RemoveImageCommand implements Callable<Integer> {
    @Parameters(arity = "1..*", paramLabel = "IMAGE")
    private List<String> names = List.of();

    @Option(names = "--shared", description = "Everybody's name.")
    private boolean shared;

    @Mixin
    private final ServerOptions server;

    RemoveImageCommand(ServerOptions server) {
        this.server = server;
    }

    /// Each name is tried, whatever became of those before it.
    @Override
    public Integer call() throws IOException {
        return server.ask(images -> {
            var code = 0;
            for (var name : names) {
                try {
                    images.remove(name, shared);
                } catch (ImageClient.RefusedException refused) {
                    System.err.println("bobbin: " + refused.getMessage());
                    code = 1;
                }
            }
            return code;
        });
    }
}
