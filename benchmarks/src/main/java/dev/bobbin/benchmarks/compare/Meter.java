package dev.bobbin.benchmarks.compare;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// The native program that takes the times.
final class Meter {
    private static final Pattern PHASE = Pattern.compile("\"([a-z_]+)\":([0-9]+)");

    private final Path program;

    Meter(Path program) {
        this.program = program;
    }

    /// Times of many runs, those that failed left out.
    static final class Samples {
        private final List<Long> nanos = new ArrayList<>();
        /// Microseconds since acceptance at the end of each phase, of runs that tell.
        private final Map<String, List<Long>> phases = new LinkedHashMap<>();
        private long wallNanos;
        private long failures;

        double micros(double percentile) {
            return quantile(nanos, percentile) / 1000.0;
        }

        /// The median of each phase.
        Map<String, Long> phases() {
            var medians = new LinkedHashMap<String, Long>();
            phases.forEach((phase, micros) -> medians.put(phase, quantile(micros, 0.5)));
            return medians;
        }

        private static long quantile(List<Long> values, double percentile) {
            var sorted = values.stream().mapToLong(Long::longValue).toArray();
            Arrays.sort(sorted);
            return sorted.length == 0
                    ? -1
                    : sorted[Math.clamp((long) Math.ceil(sorted.length * percentile) - 1, 0, sorted.length - 1)];
        }

        int count() {
            return nanos.size();
        }

        double perSecond() {
            return nanos.size() / (wallNanos / 1e9);
        }

        long failures() {
            return failures;
        }
    }

    /// Runs until `count` are done or the time is over, each client waiting `pause` before each run, and adds the
    /// samples
    /// to `into`.
    void measure(Contender contender, int clients, int count, int millis, Duration pause, Samples into)
            throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of(
                program.toString(),
                contender.kind(),
                Integer.toString(clients),
                Integer.toString(count),
                Integer.toString(millis),
                Long.toString(pause.toNanos() / 1000)));
        command.addAll(contender.command());
        var process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (var out = process.outputWriter()) {
            out.write(contender.input());
        }
        try (var lines = process.inputReader()) {
            for (var line = lines.readLine(); line != null; line = lines.readLine()) {
                add(line, into);
            }
        }
        if (process.waitFor() != 0) {
            throw new IOException(contender.name() + " cannot be measured");
        }
    }

    private static void add(String line, Samples into) {
        var words = line.split(" ", 4);
        if (words[0].equals("wall")) {
            into.wallNanos += Long.parseLong(words[1]);
            into.failures += Long.parseLong(words[3]);
            return;
        }
        into.nanos.add(Long.parseLong(words[0]));
        var phases = PHASE.matcher(line);
        while (phases.find()) {
            into.phases.computeIfAbsent(phases.group(1), _ -> new ArrayList<>()).add(Long.parseLong(phases.group(2)));
        }
    }
}
