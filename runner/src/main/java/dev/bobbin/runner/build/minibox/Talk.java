package dev.bobbin.runner.build.minibox;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.BiConsumer;

/// What a block that runs has printed, cut into lines. One thread at a time.
final class Talk {
    /// Clients stop reading at a line of 64 KiB.
    private static final int LONGEST = 60_000;

    private final String step;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private long last;

    Talk(String step, long nanos) {
        this.step = step;
        this.last = nanos;
    }

    String step() {
        return step;
    }

    /// Gives every whole line to `told`, after the step's name.
    void printed(ByteBuffer data, long nanos, BiConsumer<String, String> told) {
        last = nanos;
        while (data.hasRemaining()) {
            var each = data.get();
            if (each != '\n') {
                line.write(each);
            }
            if (each == '\n' || line.size() >= LONGEST) {
                tell(told);
            }
        }
    }

    /// Gives what is left of a line without an end.
    void end(BiConsumer<String, String> told) {
        if (line.size() > 0) {
            tell(told);
        }
    }

    /// Whether it has been silent for so long, since it spoke or since this was last true.
    boolean isSilentFor(Duration silence, long nanos) {
        var silent = nanos - last >= silence.toNanos();
        if (silent) {
            last = nanos;
        }
        return silent;
    }

    private void tell(BiConsumer<String, String> told) {
        var text = line.toString(StandardCharsets.UTF_8);
        told.accept(step, text.endsWith("\r") ? text.substring(0, text.length() - 1) : text);
        line.reset();
    }
}
