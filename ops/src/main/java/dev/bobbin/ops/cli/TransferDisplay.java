package dev.bobbin.ops.cli;

import java.io.PrintStream;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// How far a pull or push has come, on standard error: a bar for a person, a line for each layer elsewhere, or nothing.
final class TransferDisplay implements AutoCloseable {
    private static final int WIDTH = 30;
    private static final int SHORT_DIGEST = 19;

    private final PrintStream out;
    private final Style style;
    private final Map<String, long[]> layers = new LinkedHashMap<>();
    private final Set<String> ready = new HashSet<>();
    private boolean drawn;

    enum Style {
        BAR,
        LINES,
        NOTHING
    }

    TransferDisplay(PrintStream out, Style style) {
        this.out = out;
        this.style = style;
    }

    /// What suits standard error, unless it should be quiet.
    static TransferDisplay onStandardError(boolean quiet) {
        var style = Terminal.ERR.isThere() ? Style.BAR : Style.LINES;
        return new TransferDisplay(System.err, quiet ? Style.NOTHING : style);
    }

    /// A bar for a person, and nothing where a program reads.
    static TransferDisplay forPeople() {
        return new TransferDisplay(System.err, Terminal.ERR.isThere() ? Style.BAR : Style.NOTHING);
    }

    /// Shows one `progress` frame.
    void show(Map<String, ?> frame) {
        var layer = String.valueOf(frame.get("layer"));
        switch (String.valueOf(frame.get("step"))) {
            case "resolving" -> line("asking for " + frame.get("image"));
            case "transferring" -> transferring(layer, number(frame.get("bytes")), number(frame.get("total_bytes")));
            case "unpacked" -> {
                ready.add(layer);
                line(brief(layer) + " unpacked");
            }
            case "exists" -> {
                ready.add(layer);
                line(brief(layer) + " is there already");
            }
            default -> {
                // what a newer server adds
            }
        }
        draw();
    }

    /// Clears the bar away.
    @Override
    public void close() {
        if (drawn) {
            out.print("\r\033[K");
            out.flush();
            drawn = false;
        }
    }

    private void transferring(String layer, long bytes, long total) {
        var before = layers.put(layer, new long[] {bytes, total});
        if (bytes >= total && (before == null || before[0] < total)) {
            line(brief(layer) + " " + Amount.of(total));
        }
    }

    private void line(String text) {
        if (style == Style.LINES) {
            out.println(text);
        }
    }

    private void draw() {
        if (style != Style.BAR) {
            return;
        }
        var bytes = layers.values().stream().mapToLong(layer -> layer[0]).sum();
        var total = layers.values().stream().mapToLong(layer -> layer[1]).sum();
        var filled = total == 0 ? 0 : (int) Math.min(WIDTH, WIDTH * bytes / total);
        out.print("\r\033[K[" + "=".repeat(filled) + " ".repeat(WIDTH - filled) + "] " + Amount.of(bytes) + " of "
                + Amount.of(total) + ", " + ready.size() + " layers ready");
        out.flush();
        drawn = true;
    }

    /// As much of a digest as tells it from others.
    static String brief(String digest) {
        return digest.substring(0, Math.min(SHORT_DIGEST, digest.length()));
    }

    private static long number(@Nullable Object value) {
        return value instanceof Number number ? number.longValue() : 0;
    }
}
