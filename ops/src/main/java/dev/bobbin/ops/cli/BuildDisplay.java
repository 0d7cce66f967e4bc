package dev.bobbin.ops.cli;

import java.io.PrintStream;
import java.util.Base64;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Shows a build as it goes on, in plain lines.
final class BuildDisplay {
    private final PrintStream out;
    private @Nullable String digest;

    BuildDisplay(PrintStream out) {
        this.out = out;
    }

    /// The digest of the image, once it is made.
    @Nullable
    String digest() {
        return digest;
    }

    void show(Map<?, ?> frame) {
        switch (String.valueOf(frame.get("type"))) {
            case "progress" -> progress(frame);
            case "stdout", "stderr" -> {
                if (frame.get("data") instanceof String text) {
                    out.print(text);
                } else if (frame.get("data_base64") instanceof String encoded) {
                    var bytes = Base64.getDecoder().decode(encoded);
                    out.write(bytes, 0, bytes.length);
                }
            }
            default -> {}
        }
        out.flush();
    }

    private void progress(Map<?, ?> frame) {
        var step = frame.get("step") instanceof String name ? name : "build";
        var line = switch (String.valueOf(frame.get("state"))) {
            case "started" -> "START " + frame.get("title");
            case "cached" -> "CACHED " + frame.get("title") + took(frame);
            case "done" -> "DONE" + took(frame);
            case "failed" -> "FAILED: " + frame.get("problem");
            case "cancelled" -> "CANCELLED";
            case "note" -> String.valueOf(frame.get("note"));
            case "exporting" -> "writing image " + frame.get("image");
            case "finished" -> {
                digest = String.valueOf(frame.get("digest"));
                yield "DONE" + took(frame);
            }
            default -> String.valueOf(frame.get("state"));
        };
        out.println("[" + step + "] " + line);
    }

    private static String took(Map<?, ?> frame) {
        return frame.get("millis") instanceof Number millis
                ? millis.longValue() < 1000
                        ? " (" + millis + "ms)"
                        : " (" + millis.longValue() / 1000 + "." + millis.longValue() % 1000 / 100 + "s)"
                : "";
    }
}
