package dev.bobbin.ops.cli;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// Says all there is to say about images.
@Command(
        name = "inspect",
        description = "Prints one JSON object a line for each image: digest, names, configuration, layers.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class InspectCommand implements Callable<Integer> {
    @Parameters(arity = "1..*", paramLabel = "IMAGE")
    private List<String> names = List.of();

    @Mixin
    private final ServerOptions server;

    InspectCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        return server.ask(images -> {
            for (var name : names) {
                System.out.println(images.inspect(name));
            }
            return 0;
        });
    }
}
