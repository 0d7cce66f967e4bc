package dev.bobbin.runner.host;

import dev.bobbin.runner.Output;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What steps of a build print, several at once, as whole lines that begin with `[STEP] `. What has no end of line yet
/// waits for it; a very long line is cut.
final class StepLines {
    private static final int LONGEST = 16 * 1024;

    private final Map<Source, ByteArrayOutputStream> waiting = new LinkedHashMap<>();

    private record Source(String step, Output.Stream stream) {}

    /// Bytes to be written, of whole lines.
    record Lines(Output.Stream stream, ByteBuffer data) {}

    /// What can be written now that a step printed this.
    ByteBuffer of(String step, Output.Stream stream, ByteBuffer data) {
        var line = waiting.computeIfAbsent(new Source(step, stream), _ -> new ByteArrayOutputStream());
        var out = new ByteArrayOutputStream();
        for (var left = data.duplicate(); left.hasRemaining(); ) {
            var each = left.get();
            if (each != '\n') {
                line.write(each);
            }
            if (each == '\n' || line.size() >= LONGEST) {
                end(step, line, out);
            }
        }
        return ByteBuffer.wrap(out.toByteArray());
    }

    private static void end(String step, ByteArrayOutputStream line, ByteArrayOutputStream out) {
        out.writeBytes(("[" + step + "] ").getBytes(StandardCharsets.UTF_8));
        out.writeBytes(line.toByteArray());
        out.write('\n');
        line.reset();
    }

    /// What waits of a step, which prints nothing more.
    List<Lines> rest(String step) {
        var all = new ArrayList<Lines>();
        waiting.forEach((source, line) -> {
            if (source.step.equals(step) && line.size() > 0) {
                var out = new ByteArrayOutputStream();
                end(step, line, out);
                all.add(new Lines(source.stream, ByteBuffer.wrap(out.toByteArray())));
            }
        });
        waiting.keySet().removeIf(source -> source.step.equals(step));
        return all;
    }

    /// What waits of all of them.
    List<Lines> rest() {
        return waiting.keySet().stream().map(Source::step).distinct().toList().stream()
                .flatMap(step -> rest(step).stream())
                .toList();
    }
}
