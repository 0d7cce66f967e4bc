package dev.bobbin.ops.cli;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// How a build stands, from the frames of its answer.
final class BuildSteps {
    private static final int TAIL = 6;

    private final Map<String, Step> running = new LinkedHashMap<>();
    private final Map<String, Map<String, Layer>> pulls = new LinkedHashMap<>();
    /// Of each stream, what has no end of line yet.
    private final Map<String, EachLine> cut = new HashMap<>();
    private final Map<String, Integer> counts = new TreeMap<>();
    private final List<Over> over = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private @Nullable Step failed;
    private @Nullable String problem;
    private @Nullable String digest;
    private @Nullable String exporting;

    /// One that runs.
    record Step(String name, String title, long sinceNanos, Deque<String> tail, StepOutput output) {}

    /// One that is over.
    ///
    /// @param state the server's word
    record Over(String name, String state, String title, long millis) {}

    /// One of a base that comes.
    record Layer(long bytes, long total, boolean ready) {}

    void take(Map<?, ?> frame, long nanos) {
        switch (String.valueOf(frame.get("type"))) {
            case "progress" -> happened(frame, nanos);
            case "stdout", "stderr" -> printed(String.valueOf(frame.get("type")), BuildLines.bytes(frame));
            case "gap" -> notes.add(frame.get("bytes") + " bytes of output are lost");
            default -> {
                // what a newer server adds
            }
        }
    }

    private void happened(Map<?, ?> frame, long nanos) {
        var state = String.valueOf(frame.get("state"));
        var name = frame.get("step") instanceof String step ? step : "";
        switch (state) {
            case "started" -> {
                pulls.clear();
                running.put(name, new Step(name, text(frame, "title"), nanos, new ArrayDeque<>(), new StepOutput()));
            }
            case "cached", "done", "failed", "cancelled" -> {
                if (name.isEmpty()) {
                    problem = text(frame, "problem");
                } else {
                    over(name, state, frame);
                }
            }
            case "note" -> notes.add(text(frame, "note"));
            case "exporting" -> exporting = text(frame, "image");
            case "finished" -> digest = text(frame, "digest");
            case "pulling" -> pulling(text(frame, "image"), frame);
            default -> {
                // what a newer server adds
            }
        }
    }

    private void over(String name, String state, Map<?, ?> frame) {
        var step = running.remove(name);
        var title = step == null ? text(frame, "title") : step.title;
        over.add(new Over(name, state, title, number(frame, "millis")));
        counts.merge(state, 1, Integer::sum);
        if (step != null && state.equals("failed") && failed == null) {
            failed = step;
        } else if (step != null) {
            step.output.close();
        }
    }

    private void pulling(String image, Map<?, ?> frame) {
        var layers = pulls.computeIfAbsent(image, _ -> new LinkedHashMap<>());
        var layer = text(frame, "layer");
        var before = layers.getOrDefault(layer, new Layer(0, 0, false));
        switch (text(frame, "phase")) {
            case "transferring" ->
                layers.put(layer, new Layer(number(frame, "bytes"), number(frame, "total_bytes"), false));
            case "unpacked", "exists" -> layers.put(layer, new Layer(before.total, before.total, true));
            case "done" -> {
                pulls.remove(image);
                notes.add("pulled " + image);
            }
            default -> {
                // there is nothing of it to be counted yet
            }
        }
    }

    private void printed(String stream, byte[] bytes) {
        cut.computeIfAbsent(stream, _ -> new EachLine(this::printed)).write(bytes, 0, bytes.length);
    }

    /// A line that begins with `[STEP] `.
    private void printed(byte[] line) {
        var text = new String(line, StandardCharsets.UTF_8);
        var end = text.indexOf("] ");
        var step = end < 1 ? null : running.get(text.substring(1, end));
        if (step == null) {
            notes.add(Cells.plain(text));
            return;
        }
        var prefix = text.substring(0, end + 2).getBytes(StandardCharsets.UTF_8).length;
        step.output.add(Arrays.copyOfRange(line, prefix, line.length));
        step.tail.addLast(Cells.plain(text.substring(end + 2)));
        if (step.tail.size() > TAIL) {
            step.tail.removeFirst();
        }
    }

    Collection<Step> running() {
        return running.values();
    }

    /// Bases that come, and their layers.
    Map<String, Map<String, Layer>> pulls() {
        return pulls;
    }

    /// What is over since this was asked last.
    List<Over> takeOver() {
        var all = List.copyOf(over);
        over.clear();
        return all;
    }

    /// What was said since this was asked last.
    List<String> takeNotes() {
        var all = List.copyOf(notes);
        notes.clear();
        return all;
    }

    /// How many steps ended in this state.
    int count(String state) {
        return counts.getOrDefault(state, 0);
    }

    /// The step that failed first.
    Optional<Step> failed() {
        return Optional.ofNullable(failed);
    }

    /// Why nothing came of the build.
    Optional<String> problem() {
        return Optional.ofNullable(problem);
    }

    Optional<String> digest() {
        return Optional.ofNullable(digest);
    }

    /// The image that is being written.
    Optional<String> exporting() {
        return Optional.ofNullable(exporting);
    }

    private static String text(Map<?, ?> frame, String member) {
        return frame.get(member) instanceof String text ? text : "";
    }

    private static long number(Map<?, ?> frame, String member) {
        return frame.get(member) instanceof Number number ? number.longValue() : 0;
    }
}
