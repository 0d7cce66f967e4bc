package dev.bobbin.ops.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// Says where a sandbox's ports are published.
@Command(
        name = "port",
        description = "Prints where the ports of a sandbox are published, or one of them.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class PortCommand implements Callable<Integer> {
    private static final String ARROW = " -> ";

    @Parameters(index = "0", paramLabel = "NAME", description = "Id or name of the sandbox.")
    private String name = "";

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "PORT[/udp]",
            description = "Only where this one is, and exit code 1 if it is not.")
    private @Nullable String port;

    @Mixin
    private final ServerOptions server;

    PortCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        return server.askOfSandboxes(sandboxes -> {
            var sandbox = sandboxes.find(name);
            if (sandbox.isEmpty()) {
                throw new RefusedException("sandbox: there is no sandbox \"" + name + "\"");
            }
            var ports = PublishedPorts.of(Json.object(sandbox.get()));
            if (port == null) {
                ports.forEach(System.out::println);
                return 0;
            }
            var begin = (port.contains("/") ? port : port + "/tcp") + ARROW;
            var found = ports.stream().filter(each -> each.startsWith(begin)).toList();
            if (found.isEmpty()) {
                throw new RefusedException("port: " + port + " of \"" + name + "\" is not published");
            }
            found.forEach(each -> System.out.println(each.substring(begin.length())));
            return 0;
        });
    }
}
