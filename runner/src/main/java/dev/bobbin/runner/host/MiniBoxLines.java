package dev.bobbin.runner.host;

import dev.bobbin.runner.BuildEvent;
import dev.bobbin.runner.BuildEvent.Kind;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.OutputSink;
import dev.bobbin.runner.build.BuildException;
import dev.bobbin.runner.build.BuildPlan;
import dev.bobbin.runner.build.minibox.MiniBoxLanguage;
import dev.bobbin.runner.build.minibox.StreamLines;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The build of a MiniBox file, told from what its job puts out in the lines that clients of minibox print. One thread
/// at a time.
public final class MiniBoxLines implements OutputSink {
    private static final int SHOWN_OF_LINE = 200;
    private static final Pattern PLACED = Pattern.compile("MiniBox:([0-9]{1,9}): (.*)", Pattern.DOTALL);
    /// Of a copy that was refused before it was begun.
    private static final Pattern COPY = Pattern.compile("^(block \\S+: copy): ");
    /// Of a step that a line stands for whose own words are other ones.
    private static final Pattern SCRIPT = Pattern.compile("run \\[[^\\n]*\\n.*]: ", Pattern.DOTALL);

    private final String recipe;
    private final MiniBoxLanguage.Heading heading;
    private final String image;
    private final Lines lines;
    private final StringBuilder told = new StringBuilder();
    /// Of each stream, what has no end of line yet.
    private final Map<Output.Stream, ByteArrayOutputStream> cut = new EnumMap<>(Output.Stream.class);

    private long began;
    private @Nullable StreamLines stream;
    private @Nullable String problem;
    private boolean finished;

    /// Where lines go.
    @FunctionalInterface
    public interface Lines {
        /// Takes some, each with its end.
        void send(String text) throws IOException;
    }

    /// @throws BuildException RECIPE if the text says what cannot be
    public MiniBoxLines(String recipe, String image, Lines lines) {
        this.recipe = recipe;
        this.heading = MiniBoxLanguage.check(recipe);
        this.image = image;
        this.lines = lines;
    }

    /// The first line.
    public void start() throws IOException {
        began = System.nanoTime();
        say(StreamLines.opening(image));
        send();
    }

    /// The base is not here, and has to be brought.
    public void fetching() throws IOException {
        say("[base] fetching " + heading.base() + " manifest...");
        send();
    }

    /// The base is here.
    public void planned(BuildPlan plan) throws IOException {
        stream = new StreamLines(image, plan, heading.form(), System::nanoTime, this::say);
        stream.begin(heading.base(), Duration.ofNanos(System.nanoTime() - began));
        send();
    }

    /// The last lines of a build that cannot be for what its file says: the place in the file, and what is wrong.
    public void failed(BuildException wrong) throws IOException {
        place(recipe, wrong).ifPresent(place -> say("[build] " + place));
        failed(String.valueOf(wrong.getMessage()));
    }

    /// `line 3: NEED b`, if it is one line that is wrong. The message itself is the one that clients know, without it.
    public static Optional<String> place(String recipe, BuildException wrong) {
        return line(recipe, wrong.line()).map(line -> "line " + wrong.line() + ": " + line);
    }

    private static Optional<String> line(String recipe, int number) {
        var lines = recipe.split("\n", -1);
        if (number < 1 || number > lines.length) {
            return Optional.empty();
        }
        var line = lines[number - 1].strip();
        return Optional.of(line.substring(0, Math.min(line.length(), SHOWN_OF_LINE)));
    }

    /// The last line of a build that cannot be, or did not end well.
    public void failed(String why) throws IOException {
        say(StreamLines.failed(why));
        send();
    }

    @Override
    public void accept(Output output) throws IOException {
        var telling = Objects.requireNonNull(stream, "planned");
        switch (output) {
            case Output.Bytes bytes -> printed(bytes, telling);
            case Output.Progress progress -> happened(progress.event(), telling);
            case Output.Gap gap -> say("[build] " + gap.bytes() + " bytes of output are lost");
            case Output.Ended ended -> {
                if (!finished) {
                    failed(problem == null ? why(ended.ending().outcome()) : problem);
                }
            }
            case Output.Started _, Output.Heartbeat _ -> {}
        }
        telling.remind();
        send();
    }

    /// Whole lines of steps, each beginning with `[STEP] `.
    private void printed(Output.Bytes bytes, StreamLines telling) {
        var line = cut.computeIfAbsent(bytes.stream(), _ -> new ByteArrayOutputStream());
        for (var data = bytes.data().duplicate(); data.hasRemaining(); ) {
            var each = data.get();
            line.write(each);
            if (each == '\n') {
                printed(line.toByteArray(), bytes.stream(), telling);
                line.reset();
            }
        }
    }

    private void printed(byte[] line, Output.Stream stream, StreamLines telling) {
        var space = 0;
        while (space < line.length && line[space] != ' ') {
            space++;
        }
        if (line[0] != '[' || space < 3 || space == line.length) {
            // behind a gap
            say(new String(line, 0, line.length - 1, StandardCharsets.UTF_8));
            return;
        }
        var step = new String(line, 1, space - 2, StandardCharsets.UTF_8);
        telling.printed(step, stream, ByteBuffer.wrap(line, space + 1, line.length - space - 1));
    }

    private void happened(BuildEvent event, StreamLines telling) {
        if (event.kind() == Kind.FAILED) {
            failed(event);
        }
        finished |= event.kind() == Kind.FINISHED;
        telling.happened(event.kind() == Kind.NOTE ? byLine(event) : event);
    }

    /// Clients of minibox know no name of the recipe.
    private static BuildEvent byLine(BuildEvent note) {
        var text = PLACED.matcher(note.text()).replaceFirst("line $1: $2");
        return new BuildEvent(note.kind(), note.step(), text, note.millis());
    }

    /// A block says first what failed, then the build says it with the line.
    private void failed(BuildEvent event) {
        var placed = PLACED.matcher(event.text());
        if (!event.step().isEmpty()) {
            problem = problem == null ? "block " + event.step() + ": " + event.text() : problem;
        } else if (!placed.matches()) {
            problem = problem == null ? event.text() : problem;
        } else if (problem == null || problem.endsWith(placed.group(2))) {
            var whole = problem == null ? placed.group(2) : problem;
            var number = Integer.parseInt(placed.group(1));
            var line = line(recipe, number).orElse("");
            say("[build] line " + number + ": " + line);
            var words = line.replaceFirst("\\S+\\s*", "").replaceAll("\\s+", " ");
            whole = SCRIPT.matcher(whole).replaceFirst(Matcher.quoteReplacement("run [" + line + "]: "));
            problem = COPY.matcher(whole).replaceFirst("$1" + Matcher.quoteReplacement(" [" + words + "]: "));
        }
    }

    private static String why(Outcome outcome) {
        return outcome instanceof Outcome.Cancelled(var by) ? "cancelled by " + by : "lost with its host";
    }

    private void say(String line) {
        told.append(line).append('\n');
    }

    private void send() throws IOException {
        if (!told.isEmpty()) {
            var text = told.toString();
            told.setLength(0);
            lines.send(text);
        }
    }
}
