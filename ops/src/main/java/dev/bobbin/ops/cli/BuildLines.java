package dev.bobbin.ops.cli;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// A build in plain lines, as it goes on.
final class BuildLines implements BuildView {
    private final PrintStream out;
    /// Of the terminal that `out` is; else all is written as it is.
    private final @Nullable Ink terminal;
    private final Map<String, EachLine> streams = new TreeMap<>();

    BuildLines(PrintStream out, @Nullable Ink terminal) {
        this.out = out;
        this.terminal = terminal;
    }

    @Override
    public void sent(long bytes) {
        // only a person wants to know
    }

    @Override
    public void show(Map<?, ?> frame) {
        switch (String.valueOf(frame.get("type"))) {
            case "progress" -> progress(frame);
            case "stdout", "stderr" -> printed(String.valueOf(frame.get("type")), bytes(frame));
            case "gap" -> out.println("[build] " + frame.get("bytes") + " bytes of output are lost");
            default -> {
                // what a newer server adds
            }
        }
        out.flush();
    }

    @Override
    public void close() {
        streams.values().forEach(EachLine::close);
        out.flush();
    }

    private void printed(String stream, byte[] bytes) {
        if (terminal == null) {
            out.write(bytes, 0, bytes.length);
        } else {
            var ink = terminal;
            streams.computeIfAbsent(stream, _ -> new EachLine(line -> printed(line, ink)))
                    .write(bytes, 0, bytes.length);
        }
    }

    private void printed(byte[] line, Ink ink) {
        var text = ink.printed(new String(line, StandardCharsets.UTF_8)) + "\n";
        out.writeBytes(text.getBytes(StandardCharsets.UTF_8));
    }

    /// What a frame of output holds.
    static byte[] bytes(Map<?, ?> frame) {
        if (frame.get("data_base64") instanceof String encoded) {
            return Base64.getDecoder().decode(encoded);
        }
        return frame.get("data") instanceof String text ? text.getBytes(StandardCharsets.UTF_8) : new byte[0];
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
            case "finished" -> "DONE" + took(frame);
            case "pulling" -> pulling(frame);
            default -> String.valueOf(frame.get("state"));
        };
        if (!line.isEmpty()) {
            say("[" + step + "] " + line);
        }
    }

    private void say(String text) {
        out.println(terminal == null ? text : text.lines().map(Cells::plain).collect(Collectors.joining("\n")));
    }

    private static String pulling(Map<?, ?> frame) {
        var image = "pulling " + frame.get("image");
        return switch (String.valueOf(frame.get("phase"))) {
            case "resolved" -> image + ", " + frame.get("layers") + " layers";
            case "unpacked" ->
                image + ", layer " + TransferDisplay.brief(String.valueOf(frame.get("layer"))) + " unpacked";
            case "exists" ->
                image + ", layer " + TransferDisplay.brief(String.valueOf(frame.get("layer"))) + " is here";
            default -> "";
        };
    }

    /// ` (…)` behind what took so long.
    private static String took(Map<?, ?> frame) {
        return frame.get("millis") instanceof Number millis ? " (" + duration(millis.longValue()) + ")" : "";
    }

    /// `250ms` or `4.2s`.
    static String duration(long millis) {
        return millis < 1000 ? millis + "ms" : millis / 1000 + "." + millis % 1000 / 100 + "s";
    }
}
