package dev.bobbin.ops.cli;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Makes a sandbox that lasts.
@Command(
        name = "create",
        description = {
            "Makes a sandbox that lasts, starts it and prints its id.",
            "It runs CMD and stops when that ends; without CMD it idles until it is stopped."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class CreateCommand implements Callable<Integer> {
    @Option(names = "--name", paramLabel = "NAME", description = "Letters, digits, '_', '.' and '-'.")
    private @Nullable String name;

    @Mixin
    private final PlaceOptions place = new PlaceOptions();

    @Mixin
    private final ProcessOptions process = new ProcessOptions();

    @Option(names = "--ttl", paramLabel = "TIME", description = "Removed so long after it was made.")
    private @Nullable String ttl;

    @Option(names = "--idle-timeout", paramLabel = "TIME", description = "Stopped when nothing ran in it for so long.")
    private @Nullable String idleTimeout;

    @Option(
            names = {"-t", "--tty"},
            description = "Gives CMD a terminal, for bobbin attach.")
    private boolean terminal;

    @Option(
            names = {"-i", "--interactive"},
            description = "Said or not, a terminal can be typed into.")
    @SuppressWarnings("UnusedVariable") // said or not
    private boolean interactive;

    @Mixin
    private final ServerOptions server;

    @Parameters(paramLabel = "CMD", description = "Its own process, after --.")
    private List<String> command = List.of();

    CreateCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        return server.askOfSandboxes(sandboxes -> {
            var made = sandboxes.create(request());
            System.out.println(made.get("id"));
            if (made.get("problem") instanceof String problem) {
                System.err.println("bobbin: " + problem);
                return 1;
            }
            return 0;
        });
    }

    private Map<String, Object> request() {
        var request = new Request()
                .put("name", name)
                .putAmount("ttl", ttl)
                .putAmount("idle_timeout", idleTimeout)
                .put("command", command.isEmpty() ? null : command)
                .put("terminal", terminal ? Map.of() : null);
        process.putInto(request, null);
        var limits = place.putInto(request);
        return request.putUnlessEmpty("limits", limits.members()).members();
    }
}
