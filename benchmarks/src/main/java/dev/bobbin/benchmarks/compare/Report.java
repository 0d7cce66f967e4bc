package dev.bobbin.benchmarks.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// The results as a table and a plot.
final class Report {
    private static final int ROW = 26;
    private static final int LEFT = 190;
    private static final int WIDTH = 560;
    private static final int TOP = 40;

    private final List<Result> results;
    private final Result r;
    private final String machine;
    private final String load;

    /// @param results the first is R
    Report(List<Result> results, String machine, String load) {
        this.results = List.copyOf(results);
        this.r = results.getFirst();
        this.machine = machine;
        this.load = load;
    }

    void write(Path directory) throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("comparison.md"), markdown());
        Files.writeString(directory.resolve("comparison.svg"), svg());
    }

    String markdown() {
        var lines = new ArrayList<String>();
        lines.add("# Starting `true`\n");
        lines.add("Made by `benchmarks/compare` on " + machine + "; " + load + ".\n");
        lines.add(
                "R is `posix_spawn` and `wait` of the same static `true`, in the same run. All in turns: one client that waits 5 ms");
        lines.add(
                "between two runs, so that a parked sandbox is there; one that does not wait; as many runs as possible in a few");
        lines.add("seconds, from 16 and from 32 clients. Each ratio is to R of the same column.\n");
        lines.add(
                "| | p50 ms | p99 ms | p50 / R | without waiting, p50 ms | p50 / R | 16 clients, 1/s | 32 clients, 1/s | runs | failed |");
        lines.add("|---|---|---|---|---|---|---|---|---|---|");
        for (var result : results) {
            if (result.alone.count() == 0) {
                lines.add(text("| %s | does not run here | | | | | | | 0 | %d |", result.name(), result.failures()));
                continue;
            }
            lines.add(text(
                    "| %s | %.2f | %.2f | %.1f | %.2f | %.1f | %s | %s | %d | %d |",
                    result.name(),
                    result.p50() / 1000,
                    result.p99() / 1000,
                    result.p50() / r.p50(),
                    result.unpaused.micros(0.5) / 1000,
                    result.unpaused.micros(0.5) / r.unpaused.micros(0.5),
                    rate(result.by16),
                    rate(result.by32),
                    result.alone.count() + result.unpaused.count() + result.by16.count() + result.by32.count(),
                    result.failures()));
        }
        lines.add(
                "\nFor comparison, measured elsewhere where R was 0.23 to 0.34 ms: minibox run 62 ms and 68 a second, minibox exec");
        lines.add("2.5 ms, docker exec 57 ms.");
        lines.add("\n![p50 and p99 of each](comparison.svg)\n");
        lines.add("Where the time goes, medians in microseconds since the request was accepted:\n");
        for (var result : results) {
            if (!result.alone.phases().isEmpty()) {
                lines.add("- " + result.name() + ": "
                        + result.alone.phases().entrySet().stream()
                                .map(phase -> phase.getKey() + " " + phase.getValue())
                                .collect(Collectors.joining(", "))
                        + text("; at the client %.0f", result.p50()));
            }
        }
        return String.join("\n", lines) + "\n";
    }

    private static String rate(Meter.Samples samples) {
        return samples.count() == 0 ? "" : text("%.0f", samples.perSecond());
    }

    /// A bar to the median and a tick at the 99th percentile, on a logarithmic scale from 0.1 ms.
    String svg() {
        var height = TOP + results.size() * ROW + 40;
        var svg = new StringBuilder(text(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n",
                LEFT + WIDTH + 90, height));
        svg.append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
        svg.append(text(
                "<text x=\"10\" y=\"20\">%s</text>\n",
                "Starting true: median (bar) and 99th percentile (tick), milliseconds"));
        for (var power = -1; power <= 3; power++) {
            var x = x(Math.pow(10, power) * 1000);
            svg.append(text(
                    "<line x1=\"%1$.0f\" y1=\"%2$d\" x2=\"%1$.0f\" y2=\"%3$d\" stroke=\"#ccc\"/><text x=\"%1$.0f\" y=\"%4$d\" text-anchor=\"middle\" fill=\"#555\">%5$s</text>\n",
                    x, TOP - 8, height - 30, height - 14, power < 0 ? "0.1" : text("%.0f", Math.pow(10, power))));
        }
        for (var index = 0; index < results.size(); index++) {
            var result = results.get(index);
            var y = TOP + index * ROW;
            svg.append(text("<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>", LEFT - 8, y + 13, result.name()));
            svg.append(text(
                    "<rect x=\"%d\" y=\"%d\" width=\"%.0f\" height=\"16\" fill=\"%s\"/>",
                    LEFT, y, x(result.p50()) - LEFT, result.name().startsWith("Bobbin") ? "#2a7" : "#89a"));
            svg.append(text(
                    "<line x1=\"%1$.0f\" y1=\"%2$d\" x2=\"%1$.0f\" y2=\"%3$d\" stroke=\"black\"/>",
                    x(result.p99()), y, y + 16));
            svg.append(text(
                    "<text x=\"%.0f\" y=\"%d\" fill=\"#333\">%.2f</text>\n",
                    Math.max(x(result.p50()), x(result.p99())) + 5, y + 13, result.p50() / 1000));
        }
        return svg.append("</svg>\n").toString();
    }

    private static double x(double micros) {
        return LEFT + WIDTH * Math.clamp((Math.log10(micros) - 2) / 4, 0.0, 1.0);
    }

    @SuppressWarnings("AnnotateFormatMethod") // for whose annotation one more library would be needed
    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
