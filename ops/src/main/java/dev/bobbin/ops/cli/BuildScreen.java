package dev.bobbin.ops.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/// A build on a terminal: what is over goes up line by line and stays, what runs is drawn again and again below it.
final class BuildScreen implements BuildView {
    /* The part that is drawn again is at most as high as the terminal. Its lines are cut to the width of the moment, so that
     * each takes one row; when the terminal has become narrower since, it has broken them into several, which are counted.
     * A row is cleared before it is written: behind a full one the cursor still is in its last cell.
     * Between two drawings the cursor is at the beginning of the line below, so that whatever else prints does no harm.
     * Recipes, images and programs are somebody else's: no text of theirs gets here but through Cells. */

    private static final Duration EVERY = Duration.ofMillis(100);
    private static final int LEAST_COLUMNS = 20;
    private static final int MOST_TAIL = 6;
    private static final String CLEAR_LINE = "\033[K";
    private static final String CLEAR_BELOW = "\033[J";
    private static final String NO_WRAP = "\033[?7l";
    private static final String WRAP = "\033[?7h";

    private final PrintStream out;
    private final Supplier<Size> size;
    private final LongSupplier nanos;
    private final Ink ink;
    private final String name;
    private final BuildSteps steps = new BuildSteps();
    private final long began;
    private List<String> drawn = List.of();
    private long sent;
    private boolean answered;
    private boolean closed;

    /// Of a terminal.
    record Size(int rows, int columns) {}

    /// @param name of the image, empty for none
    /// @param size asked for before each drawing
    BuildScreen(PrintStream out, Supplier<Size> size, LongSupplier nanos, Ink ink, String name) {
        this.out = out;
        this.size = size;
        this.nanos = nanos;
        this.ink = ink;
        this.name = name;
        this.began = nanos.getAsLong();
    }

    /// One on this terminal, which draws itself until it is closed.
    static BuildScreen start(PrintStream out, Ink ink, String name) {
        var terminal = new LocalTerminal();
        var screen = new BuildScreen(out, () -> size(terminal.size()), System::nanoTime, ink, name);
        Thread.ofPlatform().daemon().name("build-screen").start(screen::drawOn);
        return screen;
    }

    private static Size size(Map<String, Object> known) {
        return known.get("rows") instanceof Integer rows && known.get("columns") instanceof Integer columns
                ? new Size(rows, columns)
                : new Size(24, 80);
    }

    private synchronized void drawOn() {
        try {
            while (!closed) {
                draw();
                wait(EVERY.toMillis());
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public synchronized void sent(long bytes) {
        sent = bytes;
    }

    @Override
    public synchronized void show(Map<?, ?> frame) {
        answered = true;
        steps.take(frame, nanos.getAsLong());
        if ("ended".equals(frame.get("type"))) {
            end();
        }
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            show(whatIsOver(), List.of());
            notifyAll();
        }
    }

    /// Draws what there is now.
    synchronized void draw() {
        if (closed) {
            return;
        }
        show(whatIsOver(), whatGoesOn(size.get()));
    }

    private void end() {
        show(whatIsOver(), List.of());
        closed = true;
        steps.failed().ifPresent(this::printWhole);
        steps.problem()
                .ifPresent(problem -> problem.lines().forEach(line -> out.println(ink.of("31", Cells.plain(line)))));
        out.println(summary());
        out.flush();
        notifyAll();
    }

    private void printWhole(BuildSteps.Step step) {
        out.println(ink.of("31", "What " + named(step.name(), step.title()) + " printed:"));
        try (var output = step.output()) {
            output.writeTo(new EachLine(this::printLine));
            output.lost()
                    .ifPresent(why -> out.println(
                            "(its beginning is not shown, since it could not be kept in a file: " + why + ")"));
        } catch (IOException e) {
            out.println("(it cannot be read again: " + e.getMessage() + ")");
        }
    }

    private void printLine(byte[] line) {
        var text = ink.printed(new String(line, StandardCharsets.UTF_8)) + "\n";
        out.writeBytes(text.getBytes(StandardCharsets.UTF_8));
    }

    private String summary() {
        return "%s done, %d cached%s, in %s"
                .formatted(
                        counted(steps.count("done") + steps.count("cached"), "step"),
                        steps.count("cached"),
                        steps.count("failed") == 0 ? "" : ", " + steps.count("failed") + " failed",
                        BuildLines.duration(millisSince(began)));
    }

    private static String counted(long count, String what) {
        return count + " " + what + (count == 1 ? "" : "s");
    }

    private long millisSince(long then) {
        return Duration.ofNanos(nanos.getAsLong() - then).toMillis();
    }

    /// Prints `above` for good, as long as it is, and `below` until the next time.
    private void show(List<String> above, List<String> below) {
        var columns = Math.max(LEAST_COLUMNS, size.get().columns());
        var text = new StringBuilder();
        var up = drawn.stream()
                .mapToInt(line -> Math.max(1, Math.ceilDiv(Cells.width(Cells.plain(line)), columns)))
                .sum();
        if (up > 0) {
            text.append("\033[").append(up).append('A');
        }
        if (!above.isEmpty()) {
            text.append('\r').append(CLEAR_BELOW);
            above.forEach(line -> text.append(line).append('\n'));
        }
        text.append(NO_WRAP);
        below.forEach(line -> text.append('\r').append(CLEAR_LINE).append(line).append('\n'));
        out.print(text.append(CLEAR_BELOW).append(WRAP));
        out.flush();
        drawn = below;
    }

    private List<String> whatIsOver() {
        var columns = Math.max(LEAST_COLUMNS, size.get().columns());
        var lines = new ArrayList<String>();
        steps.takeNotes().forEach(note -> note.lines().forEach(each -> lines.add(ink.of("33", Cells.plain(each)))));
        for (var step : steps.takeOver()) {
            var took = step.state().equals("cached") ? "" : BuildLines.duration(step.millis());
            lines.add(line(columns, step.state(), step.name(), step.title(), took));
        }
        return lines;
    }

    private List<String> whatGoesOn(Size now) {
        var columns = Math.max(LEAST_COLUMNS, now.columns());
        var most = Math.max(1, now.rows() - 1);
        var lines = new ArrayList<String>();
        lines.add(ink.of("1", Cells.cut(Cells.plain(heading()), columns)));
        steps.pulls().forEach((image, layers) -> lines.add(Cells.cut(Cells.plain(pulling(image, layers)), columns)));
        var running = List.copyOf(steps.running());
        var room = running.isEmpty() ? 0 : (most - lines.size() - running.size()) / running.size();
        for (var step : running) {
            lines.add(line(
                    columns,
                    "running",
                    step.name(),
                    step.title(),
                    BuildLines.duration(millisSince(step.sinceNanos()) / 100 * 100)));
            var tail = List.copyOf(step.tail());
            tail.subList(Math.max(0, tail.size() - Math.clamp(room, 0, MOST_TAIL)), tail.size())
                    .forEach(each -> lines.add(ink.of("2", Cells.cut("            " + each, columns))));
        }
        if (lines.size() > most) {
            var left = lines.size() - most + 1;
            lines.subList(most - 1, lines.size()).clear();
            lines.add(Cells.cut("            and " + left + " lines more", columns));
        }
        return lines;
    }

    private String heading() {
        var what = steps.exporting().map(image -> "writing " + image).orElseGet(() -> {
            if (!answered) {
                return "sending " + Amount.of(sent);
            }
            var done = steps.count("done") + steps.count("cached");
            return counted(done, "step") + " done, " + steps.count("cached") + " cached, "
                    + steps.running().size() + " running";
        });
        var seconds = BuildLines.duration(millisSince(began) / 100 * 100);
        return "building" + (name.isEmpty() ? "" : " " + name) + ", " + seconds + ": " + what;
    }

    private static String pulling(String image, Map<String, BuildSteps.Layer> layers) {
        var bytes = layers.values().stream().mapToLong(BuildSteps.Layer::bytes).sum();
        var total = layers.values().stream().mapToLong(BuildSteps.Layer::total).sum();
        var ready = layers.values().stream().filter(BuildSteps.Layer::ready).count();
        return "  pulling   " + image
                + (total == 0 ? "" : ", " + Amount.of(bytes) + " of " + Amount.of(total))
                + (ready == 0 ? "" : ", " + counted(ready, "layer") + " ready");
    }

    private String line(int columns, String state, String step, String title, String took) {
        var word = state.equals("running") || state.equals("cancelled") ? state : state.toUpperCase(Locale.ROOT);
        var head = "  " + word + " ".repeat(Math.max(1, 10 - word.length()));
        var room = columns - Cells.width(head) - (took.isEmpty() ? 0 : took.length() + 1);
        var text = Cells.cut(named(step, title), Math.max(0, room));
        var gap = took.isEmpty() ? "" : " ".repeat(Math.max(1, room - Cells.width(text) + 1));
        return ink.of(colour(state), head) + text + gap + took;
    }

    /// A title in one line; behind the name of its step, unless it says itself where it belongs.
    private static String named(String step, String title) {
        var line = Cells.plain(title.replace('\n', ' '));
        return line.startsWith("[") ? line : "[" + Cells.plain(step) + "] " + line;
    }

    private static String colour(String state) {
        return switch (state) {
            case "failed" -> "31";
            case "done" -> "32";
            case "cached" -> "36";
            default -> "33";
        };
    }
}
