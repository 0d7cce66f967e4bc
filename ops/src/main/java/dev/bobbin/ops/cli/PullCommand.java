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

/// Brings an image from its registry.
@Command(
        name = "pull",
        description = "Brings an image from its registry and prints its name and digest.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class PullCommand implements Callable<Integer> {
    @Parameters(paramLabel = "IMAGE", description = "[registry/]name[:tag][@digest]")
    private String image = "";

    @Option(names = "--pull", paramLabel = "POLICY", description = "missing asks no registry if it is here already.")
    private @Nullable String policy;

    @Option(names = "--platform", paramLabel = "OS/ARCH", description = "Default: this machine's.")
    private @Nullable String platform;

    @Option(names = "--shared", description = "For everybody.")
    private boolean shared;

    @Option(
            names = {"-q", "--quiet"},
            description = "Without progress.")
    private boolean quiet;

    @Mixin
    private final RegistryLogin login = new RegistryLogin();

    @Mixin
    private final ServerOptions server;

    PullCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        var request = new LinkedHashMap<String, Object>(Map.of("image", image, "shared", shared));
        if (policy != null) {
            request.put("policy", policy);
        }
        if (platform != null) {
            request.put("platform", platform);
        }
        login.addTo(request);
        return server.ask(images -> {
            var pulled = images.pull(request, TransferDisplay.onStandardError(quiet));
            System.out.println(pulled.get("name") + " " + pulled.get("digest"));
            return 0;
        });
    }
}
