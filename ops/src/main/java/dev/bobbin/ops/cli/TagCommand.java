package dev.bobbin.ops.cli;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Gives an image another name.
@Command(
        name = "tag",
        description = "Gives an image another name, in place of what had it.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class TagCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "IMAGE")
    private String image = "";

    @Parameters(index = "1", paramLabel = "NAME")
    private String name = "";

    @Option(names = "--shared", description = "A name for everybody.")
    private boolean shared;

    @Mixin
    private final ServerOptions server;

    TagCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        return server.ask(images -> {
            images.tag(Map.of("image", image, "name", name, "shared", shared));
            return 0;
        });
    }
}
