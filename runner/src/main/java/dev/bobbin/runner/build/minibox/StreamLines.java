package dev.bobbin.runner.build.minibox;

import dev.bobbin.runner.BuildEvent;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.build.Block;
import dev.bobbin.runner.build.BuildPlan;
import dev.bobbin.runner.build.BuildWatcher;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Tells of a build in the lines that MiniBox clients print: `[dag] wave=1 ready=a,b`, `[a] START …`. Blocks here wait
/// for nothing but their needs, so lines of two waves may stand among one another.
public final class StreamLines implements BuildWatcher {
    private static final Duration SILENCE = Duration.ofSeconds(10);
    private static final int SHOWN_OF_DIGEST = 12;

    private final String image;
    private final Waves waves;
    private final Form form;
    private final LongSupplier nanos;
    private final Consumer<String> out;
    private final Map<String, Talk> running = new HashMap<>();
    private long began;
    private int cached;
    private int built;

    /// The two ways of telling, one for each form of the language.
    public enum Form {
        DAG,
        LINEAR
    }

    /// A teller of one build.
    ///
    /// @param nanos a clock that only moves on
    /// @param out takes each line, without its end; called by one thread at a time
    public StreamLines(String image, BuildPlan plan, Form form, LongSupplier nanos, Consumer<String> out) {
        this.image = image;
        this.waves = new Waves(plan);
        this.form = form;
        this.nanos = nanos;
        this.out = out;
        this.began = nanos.getAsLong();
    }

    /// The first line, before the base is looked for.
    public static String opening(String image) {
        return "[build] START image=" + image;
    }

    /// The lines before the first block.
    ///
    /// @param base as the recipe names it
    /// @param found how long it took to find it
    public synchronized void begin(String base, Duration found) {
        began -= found.toNanos();
        out.accept("[base] " + base + ": ready (" + Durations.text(found) + ")");
        out.accept(
                switch (form) {
                    case DAG -> "[build] mode=dag blocks=" + waves.blocks();
                    case LINEAR -> "[build] mode=legacy-linear";
                });
    }

    @Override
    public synchronized void happened(BuildEvent event) {
        var took = "(" + Durations.text(Duration.ofMillis(event.millis())) + ")";
        switch (event.kind()) {
            case STARTED -> {
                start(event.step());
                running.put(event.step(), new Talk(event.step(), nanos.getAsLong()));
                if (form == Form.LINEAR) {
                    out.accept(" ---> Building...");
                }
            }
            case CACHED -> {
                cached++;
                start(event.step());
                end(event, form == Form.DAG ? "CACHED " + took : null, " ---> Using cache");
            }
            case DONE -> {
                built++;
                end(event, form == Form.DAG ? "DONE " + took : null, null);
            }
            case FAILED, CANCELLED -> end(event, null, null);
            case NOTE -> out.accept("[build] " + event.text());
            case EXPORTING -> export();
            case FINISHED -> {
                out.accept("[finalize] done " + took);
                var digest = event.text().substring(event.text().indexOf(':') + 1);
                var shown = digest.substring(0, Math.min(SHOWN_OF_DIGEST, digest.length()));
                var total = Durations.text(Duration.ofNanos(nanos.getAsLong() - began));
                out.accept("[build] DONE image=" + image + " manifest=" + shown + " (" + total + ")");
                out.accept("Build completed successfully");
            }
        }
    }

    @Override
    public synchronized void printed(String step, Output.Stream stream, ByteBuffer data) {
        var talk = running.get(step);
        if (talk != null) {
            talk.printed(data, nanos.getAsLong(), this::told);
        }
    }

    /// Says of blocks that printed nothing for a while that they live; to be called every few seconds.
    public synchronized void remind() {
        for (var talk : running.values()) {
            if (talk.isSilentFor(SILENCE, nanos.getAsLong())) {
                out.accept("[" + talk.step() + "] ... (still working)");
            }
        }
    }

    /// The last line of a build that did not end well.
    public static String failed(String why) {
        return "Build failed: " + why;
    }

    private void start(String step) {
        var block = waves.block(step);
        if (form == Form.LINEAR) {
            out.accept("Step " + step.replaceFirst("^step-", "") + ": " + typed(block));
            return;
        }
        var wave = waves.wave(step);
        if (waves.begin(wave)) {
            out.accept("[dag] wave=" + wave + " ready=" + String.join(",", waves.ready(wave)));
        }
        out.accept("[" + step + "] START needs=" + (block == null ? "" : String.join(",", block.needs())) + " workdir="
                + waves.workdir(step));
        if (block != null) {
            Waves.copies(block).forEach(copy -> out.accept("[" + step + "] " + copy));
        }
    }

    private void end(BuildEvent event, @Nullable String inDag, @Nullable String inLinear) {
        var talk = running.remove(event.step());
        if (talk != null) {
            talk.end(this::told);
        }
        if (form == Form.LINEAR) {
            if (inLinear != null) {
                out.accept(inLinear);
            }
            return;
        }
        if (inDag == null) {
            return;
        }
        out.accept("[" + event.step() + "] " + inDag);
        var wave = waves.wave(event.step());
        waves.end(event).ifPresent(sum -> out.accept("[dag] wave=" + wave + " done " + sum));
    }

    private void told(String step, String line) {
        out.accept(line.matches("\\[[^\\]\\s]+\\] .*") ? line : "[" + step + "] " + line);
    }

    private void export() {
        if (form == Form.DAG) {
            out.accept("[dag-summary] blocks=" + waves.blocks() + " cached=" + cached + " built=" + built);
        }
        out.accept("[finalize] writing " + waves.layers() + " layer(s)");
    }

    /// `RUN [a b]`.
    private static String typed(@Nullable Block block) {
        var words = block == null ? List.of("") : List.of(block.title().split(" ", 2));
        return words.getFirst() + " [" + (words.size() > 1 ? words.getLast() : "") + "]";
    }
}
