package dev.bobbin.ops.cli;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Says all there is to say about sandboxes and images.
@Command(
        name = "inspect",
        description = {
            "Prints one JSON object a line for each sandbox or image.",
            "What may be both is the sandbox, unless --type says otherwise."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class InspectCommand implements Callable<Integer> {
    @Parameters(arity = "1..*", paramLabel = "NAME", description = "Ids or names of sandboxes, or images.")
    private List<String> names = List.of();

    @Option(names = "--type", paramLabel = "TYPE", description = "Only this: sandbox or image.")
    private @Nullable Type type;

    @Mixin
    private final ServerOptions server;

    private enum Type {
        SANDBOX,
        IMAGE
    }

    InspectCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        return server.ask(images -> {
            for (var name : names) {
                System.out.println(inspect(images, name));
            }
            return 0;
        });
    }

    private String inspect(ImageClient images, String name) throws IOException {
        var sandbox = type == Type.IMAGE
                ? Optional.<String>empty()
                : images.sandboxes().find(name);
        if (sandbox.isEmpty() && type == Type.SANDBOX) {
            throw new RefusedException("sandbox: there is no sandbox \"" + name + "\"");
        }
        return sandbox.isPresent() ? sandbox.get() : images.inspect(name);
    }
}
