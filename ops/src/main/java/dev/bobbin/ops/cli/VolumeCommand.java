package dev.bobbin.ops.cli;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// The commands about volumes.
@Command(
        name = "volume",
        description = "Makes, lists and removes volumes: directories that outlive the sandboxes they are mounted in.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class VolumeCommand implements Callable<Integer> {
    @Spec
    private @Nullable CommandSpec spec;

    /// The command with all below it.
    static CommandLine line(ServerOptions server) {
        return new CommandLine(new VolumeCommand())
                .addSubcommand(new Create(server))
                .addSubcommand(new Listing(server))
                .addSubcommand(new Inspect(server))
                .addSubcommand(new Remove(server))
                .addSubcommand(new Prune(server));
    }

    @Override
    public Integer call() {
        throw new ParameterException(
                new CommandLine(java.util.Objects.requireNonNull(spec)),
                "Say what to do: bobbin volume create, ls, inspect, rm or prune");
    }

    @Command(name = "create", description = "Makes an empty volume.", mixinStandardHelpOptions = true)
    private static final class Create implements Callable<Integer> {
        @Parameters(paramLabel = "NAME", description = "Letters, digits, '_', '.' and '-'.")
        private String name = "";

        @Option(
                names = {"-l", "--label"},
                paramLabel = "NAME=VALUE",
                description = "A note of your own.")
        private Map<String, String> labels = new LinkedHashMap<>();

        @Option(
                names = "--size",
                paramLabel = "SIZE",
                description = "What may be in it. Default: what the disk has room for.")
        private @Nullable String size;

        @Mixin
        private final ServerOptions server;

        Create(ServerOptions server) {
            this.server = server;
        }

        @Override
        public Integer call() throws IOException {
            return server.askOfVolumes(volumes -> {
                volumes.create(new Request()
                        .put("name", name)
                        .putUnlessEmpty("labels", labels)
                        .putAmount("size", size)
                        .members());
                System.out.println(name);
                return 0;
            });
        }
    }

    @Command(name = "ls", description = "Lists the volumes.", mixinStandardHelpOptions = true)
    private static final class Listing implements Callable<Integer> {
        private static final String LINE = "%-32s  %-19s  %10s  %10s  %s%n";

        @Option(
                names = {"-q", "--quiet"},
                description = "Only the names.")
        private boolean quiet;

        @Mixin
        private final ServerOptions server;

        Listing(ServerOptions server) {
            this.server = server;
        }

        @Override
        public Integer call() throws IOException {
            return server.askOfVolumes(volumes -> {
                var all = volumes.list();
                if (!quiet) {
                    System.out.printf(LINE, "NAME", "CREATED", "SIZE", "USED", "USED BY");
                }
                for (var volume : all) {
                    if (quiet) {
                        System.out.println(volume.get("name"));
                        continue;
                    }
                    var users = volume.get("used_by") instanceof List<?> used ? used.size() : 0;
                    System.out.printf(
                            LINE,
                            volume.get("name"),
                            String.valueOf(volume.get("created_at"))
                                    .substring(0, 19)
                                    .replace('T', ' '),
                            amount(volume.get("size")),
                            amount(volume.get("used_bytes")),
                            users);
                }
                return 0;
            });
        }

        private static String amount(@Nullable Object bytes) {
            return bytes == null ? "-" : Amount.of(bytes);
        }
    }

    @Command(
            name = "inspect",
            description = "Prints one JSON object a line for each volume.",
            mixinStandardHelpOptions = true)
    private static final class Inspect implements Callable<Integer> {
        @Parameters(arity = "1..*", paramLabel = "NAME", description = "Names or ids.")
        private List<String> names = List.of();

        @Mixin
        private final ServerOptions server;

        Inspect(ServerOptions server) {
            this.server = server;
        }

        @Override
        public Integer call() throws IOException {
            return server.askOfVolumes(volumes -> {
                for (var name : names) {
                    System.out.println(volumes.inspect(name));
                }
                return 0;
            });
        }
    }

    @Command(
            name = "rm",
            description = "Removes volumes with all that is in them, but none that a sandbox names.",
            mixinStandardHelpOptions = true)
    private static final class Remove implements Callable<Integer> {
        @Parameters(arity = "1..*", paramLabel = "NAME", description = "Names or ids.")
        private List<String> names = List.of();

        @Mixin
        private final ServerOptions server;

        Remove(ServerOptions server) {
            this.server = server;
        }

        /// Each is tried, whatever became of those before it.
        @Override
        public Integer call() throws IOException {
            return server.askOfVolumes(volumes -> {
                var code = 0;
                for (var name : names) {
                    try {
                        volumes.remove(name);
                        System.out.println(name);
                    } catch (RefusedException refused) {
                        System.err.println("bobbin: " + refused.getMessage());
                        code = 1;
                    }
                }
                return code;
            });
        }
    }

    @Command(
            name = "prune",
            description = "Removes every volume that no sandbox names, with all that is in it.",
            mixinStandardHelpOptions = true)
    private static final class Prune implements Callable<Integer> {
        @Option(
                names = {"-f", "--force"},
                required = true,
                description = "Must be said: what is in them is lost.")
        @SuppressWarnings("UnusedVariable") // said or not
        private boolean force;

        @Mixin
        private final ServerOptions server;

        Prune(ServerOptions server) {
            this.server = server;
        }

        @Override
        public Integer call() throws IOException {
            return server.askOfVolumes(volumes -> {
                volumes.prune().forEach(name -> System.out.println("removed " + name));
                return 0;
            });
        }
    }
}
