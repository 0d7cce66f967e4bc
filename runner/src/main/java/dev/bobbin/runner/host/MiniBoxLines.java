package dev.bobbin.runner.host;

import dev.bobbin.runner.BuildEvent;
import dev.bobbin.runner.BuildEvent.Kind;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.OutputSink;
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
import org.jspecify.annotations.Nullable;

/// The build of a MiniBox file, told from what its job puts out in the lines that clients of minibox print. One thread
/// at a time.
public final class MiniBoxLines implements OutputSink {
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

    /// @throws dev.bobbin.runner.build.BuildException RECIPE if the text says what cannot be
    public MiniBoxLines(String recipe, String image, Lines lines) {
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
        if (event.kind() == Kind.FAILED && problem == null) {
            problem = event.step().isEmpty() ? unlocated(event.text()) : "block " + event.step() + ": " + event.text();
        }
        finished |= event.kind() == Kind.FINISHED;
        telling.happened(event);
    }

    /// Without the place in the recipe, which clients of minibox are not told.
    private static String unlocated(String text) {
        return text.replaceFirst("^MiniBox:[0-9]+: ", "");
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
