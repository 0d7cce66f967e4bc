package dev.bobbin.ops.cli;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Lists the sandboxes that last.
@Command(
        name = "ps",
        description = "Lists sandboxes that last: those that run, or all of them.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class PsCommand implements Callable<Integer> {
    private static final String LINE = "%-36s  %-20s  %-18s  %-24s  %-6s  %-30s  %s%n";
    private static final int LONGEST_COMMAND = 40;

    @Option(
            names = {"-a", "--all"},
            description = "Also those that do not run.")
    private boolean all;

    @Option(
            names = {"-q", "--quiet"},
            description = "Only the ids.")
    private boolean quiet;

    @Option(names = "--state", paramLabel = "STATE", description = "Of this state; repeatable.")
    private List<String> states = List.of();

    @Option(
            names = {"-l", "--label"},
            paramLabel = "K[=V]",
            description = "With this label; repeatable.")
    private List<String> labels = List.of();

    @Option(names = "--format", paramLabel = "FORMAT", description = "table (default), or json: an object a line.")
    private Format format = Format.TABLE;

    @Mixin
    private final ServerOptions server;

    private enum Format {
        TABLE,
        JSON
    }

    PsCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        return server.askOfSandboxes(sandboxes -> {
            print(sandboxes.list(conditions()));
            return 0;
        });
    }

    private List<String> conditions() {
        var conditions = new ArrayList<String>();
        var wanted = states.isEmpty() && !all ? List.of("creating", "running", "stopping") : states;
        wanted.forEach(state -> conditions.add("state=" + ImageClient.encoded(state)));
        labels.forEach(label -> conditions.add("label=" + ImageClient.encoded(label)));
        return conditions;
    }

    private void print(List<Map<?, ?>> sandboxes) {
        if (!quiet && format == Format.TABLE) {
            System.out.printf(LINE, "ID", "NAME", "STATE", "IMAGE", "AGE", "PORTS", "COMMAND");
        }
        for (var sandbox : sandboxes) {
            if (quiet) {
                System.out.println(sandbox.get("id"));
            } else if (format == Format.JSON) {
                System.out.println(Json.write(withoutNulls(sandbox)));
            } else {
                printLine(sandbox);
            }
        }
    }

    private static void printLine(Map<?, ?> sandbox) {
        System.out.printf(
                LINE,
                sandbox.get("id"),
                sandbox.get("name") instanceof String name ? name : "-",
                state(sandbox),
                sandbox.get("image"),
                age(String.valueOf(sandbox.get("created_at"))),
                ports(sandbox),
                command(sandbox));
    }

    /// The state, and of what has ended how.
    private static String state(Map<?, ?> sandbox) {
        var state = String.valueOf(sandbox.get("state"));
        if (!(sandbox.get("outcome") instanceof Map<?, ?> outcome) || !state.equals("stopped")) {
            return state;
        }
        var cause = outcome.get("cause");
        return "exited".equals(cause) ? "exited " + outcome.get("exit_code") : state + ", " + cause;
    }

    private static String ports(Map<?, ?> sandbox) {
        var ports = PublishedPorts.of(sandbox);
        return ports.isEmpty() ? "-" : String.join(", ", ports);
    }

    private static String age(String created) {
        var age = Duration.between(Instant.parse(created), Instant.now());
        if (age.toDays() > 0) {
            return age.toDays() + "d";
        }
        if (age.toHours() > 0) {
            return age.toHours() + "h";
        }
        return age.toMinutes() > 0 ? age.toMinutes() + "m" : Math.max(0, age.toSeconds()) + "s";
    }

    private static String command(Map<?, ?> sandbox) {
        var words = sandbox.get("command") instanceof List<?> list ? list : List.of();
        if (words.isEmpty()) {
            return "(idles)";
        }
        var line = words.stream()
                .map(word -> String.valueOf(word).replaceAll("\\p{Cntrl}", " "))
                .collect(Collectors.joining(" "));
        return line.length() <= LONGEST_COMMAND ? line : line.substring(0, LONGEST_COMMAND - 1) + "…";
    }

    private static Map<String, Object> withoutNulls(Map<?, ?> object) {
        var present = new LinkedHashMap<String, Object>();
        object.forEach((name, value) -> {
            if (value != null) {
                present.put(String.valueOf(name), value);
            }
        });
        return present;
    }
}
