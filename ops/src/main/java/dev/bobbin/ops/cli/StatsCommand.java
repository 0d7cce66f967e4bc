package dev.bobbin.ops.cli;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Says what sandboxes use now.
@Command(
        name = "stats",
        description = "Says what sandboxes use now, and have used since they were started.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class StatsCommand implements Callable<Integer> {
    private static final String LINE = "%-36s  %10s  %10s  %10s  %6s  %10s  %21s  %21s%n";

    @Option(names = "--format", paramLabel = "FORMAT", description = "table (default), or json: an object a line.")
    private Format format = Format.TABLE;

    @Parameters(paramLabel = "SANDBOX", description = "Ids or names. Default: all that run.")
    private List<String> names = List.of();

    @Mixin
    private final ServerOptions server;

    private enum Format {
        TABLE,
        JSON
    }

    StatsCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        return server.askOfSandboxes(sandboxes -> {
            if (format == Format.TABLE) {
                System.out.printf(
                        LINE, "SANDBOX", "CPU TIME", "MEMORY", "PEAK", "PIDS", "DISK", "DISK IN, OUT", "NET IN, OUT");
            }
            var code = 0;
            for (var name : names.isEmpty() ? running(sandboxes) : names) {
                try {
                    print(name, sandboxes.stats(name));
                } catch (RefusedException refused) {
                    System.err.println("bobbin: " + refused.getMessage());
                    code = 1;
                }
            }
            return code;
        });
    }

    private static List<String> running(SandboxClient sandboxes) throws IOException {
        return sandboxes.list(List.of("state=running")).stream()
                .map(sandbox -> String.valueOf(sandbox.get(sandbox.get("name") == null ? "id" : "name")))
                .toList();
    }

    private void print(String name, Map<String, @Nullable Object> sample) {
        if (format == Format.JSON) {
            var named = new LinkedHashMap<String, Object>();
            named.put("sandbox", name);
            sample.forEach((field, value) -> {
                if (value != null) {
                    named.put(field, value);
                }
            });
            System.out.println(Json.write(named));
            return;
        }
        System.out.printf(
                LINE,
                name,
                seconds(part(sample, "cpu", "total_micros")),
                amount(part(sample, "memory", "bytes")),
                amount(part(sample, "memory", "peak_bytes")),
                sample.get("pids"),
                amount(part(sample, "disk", "bytes")),
                traffic(sample, "block"),
                traffic(sample, "network"));
    }

    private static @Nullable Object part(Map<String, @Nullable Object> sample, String name, String field) {
        return sample.get(name) instanceof Map<?, ?> part ? part.get(field) : null;
    }

    private static String seconds(@Nullable Object micros) {
        return micros instanceof Number number ? String.format(Locale.ROOT, "%.2f s", number.doubleValue() / 1e6) : "-";
    }

    private static String amount(@Nullable Object bytes) {
        return bytes == null ? "-" : Amount.of(bytes);
    }

    private static String traffic(Map<String, @Nullable Object> sample, String name) {
        return amount(part(sample, name, "in_bytes")) + ", " + amount(part(sample, name, "out_bytes"));
    }
}
