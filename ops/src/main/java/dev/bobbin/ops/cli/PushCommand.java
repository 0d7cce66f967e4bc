package dev.bobbin.ops.cli;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Brings an image to a registry.
@Command(
        name = "push",
        description = "Brings an image to the registry of its name, or of another name.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class PushCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "IMAGE", description = "An image of the store.")
    private String image = "";

    @Parameters(index = "1", arity = "0..1", paramLabel = "TO", description = "Its name there. Default: its own.")
    private @Nullable String to;

    @Option(
            names = {"-q", "--quiet"},
            description = "Without progress.")
    private boolean quiet;

    @Mixin
    private final RegistryLogin login = new RegistryLogin();

    @Mixin
    private final ServerOptions server;

    PushCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        var request = new LinkedHashMap<String, Object>(Map.of("image", image));
        if (to != null) {
            request.put("to", to);
        }
        login.addTo(request);
        return server.ask(images -> {
            var pushed = images.push(request, TransferDisplay.onStandardError(quiet));
            System.out.println(pushed.get("name"));
            if (pushed.get("platforms") instanceof Number platforms && platforms.intValue() > 1) {
                System.err.println("bobbin: only " + pushed.get("platform") + " of " + platforms
                        + " platforms is here, so only that was pushed");
            }
            return 0;
        });
    }
}
