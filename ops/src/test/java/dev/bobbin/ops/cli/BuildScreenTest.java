package dev.bobbin.ops.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.ops.cli.BuildScreen.Size;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// What a person sees of a build: what is drawn goes through a small terminal.
final class BuildScreenTest {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private Size size = new Size(12, 60);
    private long nanos;
    private final BuildScreen screen = new BuildScreen(
            new PrintStream(bytes, true, StandardCharsets.UTF_8), () -> size, () -> nanos, Ink.PLAIN, "app");

    private List<String> seen() {
        return SmallTerminal.seen(bytes.toString(StandardCharsets.UTF_8), size.columns());
    }

    private void step(String state, String step, String more, Object value) {
        screen.show(Map.of("type", "progress", "state", state, "step", step, more, value, "millis", 1500));
    }

    private void printed(String text) {
        screen.show(Map.of("type", "stdout", "data", text));
    }

    private void pass(long millis) {
        nanos += Duration.ofMillis(millis).toNanos();
    }

    @Test
    void showsWhatIsOverAboveWhatRuns() {
        screen.sent(3 << 20);
        screen.draw();
        assertThat(seen()).containsExactly("building app, 0ms: sending 3.0 MiB", "");

        step("cached", "1", "title", "COPY a /");
        step("started", "2", "title", "RUN make");
        printed("[2] one\n[2] \033[31mtwo\033[0m\n[2] 10%\r20%\n[2] unfini");
        pass(1_200);
        screen.draw();
        assertThat(seen())
                .containsExactly(
                        "  CACHED    [1] COPY a /",
                        "building app, 1.2s: 1 step done, 1 cached, 1 running",
                        "  running   [2] RUN make" + " ".repeat(60 - 24 - 4) + "1.2s",
                        "            one",
                        "            two",
                        "            20%",
                        "");

        step("done", "2", "title", "");
        screen.show(Map.of("type", "progress", "state", "finished", "digest", "sha256:1"));
        screen.show(Map.of("type", "ended"));
        assertThat(seen())
                .containsExactly(
                        "  CACHED    [1] COPY a /",
                        "  DONE      [2] RUN make" + " ".repeat(60 - 24 - 4) + "1.5s",
                        "2 steps done, 1 cached, in 1.2s",
                        "");
    }

    @Test
    void endsWithTheWholeOutputOfTheStepThatFailed() {
        step("started", "1", "title", "RUN other");
        step("started", "2", "title", "RUN make");
        printed("[1] of another\n");
        for (var i = 0; i < 40_000; i++) {
            printed("[2] line " + i + "\n");
        }
        step("failed", "2", "problem", "run [make]: exit status 2");
        step("cancelled", "1", "title", "RUN other");
        screen.show(
                Map.of("type", "progress", "state", "failed", "problem", "Dockerfile:3: run [make]: exit status 2"));
        screen.show(Map.of("type", "ended"));
        assertThat(seen())
                .contains("line 0", "line 20000", "line 39999")
                .doesNotContain("of another")
                .containsSubsequence(
                        "What [2] RUN make printed:",
                        "line 39999",
                        "Dockerfile:3: run [make]: exit status 2",
                        "0 steps done, 0 cached, 1 failed, in 0ms");
    }

    @Test
    void neverHasMoreRowsOrColumnsThanTheTerminal() {
        size = new Size(6, 30);
        for (var step = 0; step < 9; step++) {
            step("started", "s" + step, "title", "RUN a very long line of a recipe that goes on and on");
            printed("[s" + step + "] 漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字\n");
        }
        screen.draw();
        var drawn = seen();
        assertThat(drawn).hasSize(6).last().isEqualTo("");
        assertThat(drawn).contains("            and 6 lines more");
        assertThat(drawn).allSatisfy(line -> assertThat(Cells.width(line)).isLessThanOrEqualTo(30));
    }

    @Test
    void clearsWhatANarrowerTerminalBroke() {
        step("started", "1", "title", "RUN make the whole thing with many words behind it");
        screen.draw();
        bytes.reset();
        size = new Size(12, 20);
        screen.draw();
        // one line of 52 columns and one of 60, as rows of 20
        assertThat(bytes.toString(StandardCharsets.UTF_8)).contains("\033[6A");
    }

    @Test
    void tellsHowBasesCome() {
        screen.show(pulling("resolved", 0, 0));
        screen.show(pulling("transferring", 1 << 20, 4 << 20));
        screen.draw();
        assertThat(seen()).contains("  pulling   debian:12, 1.0 MiB of 4.0 MiB");
        screen.show(pulling("unpacked", 0, 0));
        screen.draw();
        assertThat(seen()).contains("  pulling   debian:12, 4.0 MiB of 4.0 MiB, 1 layer ready");
        screen.show(pulling("done", 0, 0));
        screen.draw();
        assertThat(seen()).contains("pulled debian:12").noneMatch(line -> line.contains("pulling"));
    }

    private static Map<String, Object> pulling(String phase, long count, long total) {
        return Map.of(
                "type",
                "progress",
                "state",
                "pulling",
                "image",
                "debian:12",
                "phase",
                phase,
                "layer",
                "sha256:1",
                "bytes",
                count,
                "total_bytes",
                total);
    }

    @Test
    void saysWholeWhatIsSaidForGood() {
        size = new Size(12, 30);
        step("started", "1", "title", "RUN make the whole thing with many words behind it");
        screen.draw();
        screen.show(Map.of("type", "progress", "state", "note", "note", "Dockerfile:1: " + "long ".repeat(12) + "end"));
        screen.draw();
        assertThat(seen())
                .containsExactly(
                        "Dockerfile:1: long long long l",
                        "ong long long long long long l",
                        "ong long long end",
                        "building app, 0ms: 0 steps don",
                        "  running   [1] RUN make t 0ms",
                        "");
    }

    @Test
    void letsNothingOfAStrangerSteerTheTerminal() {
        var evil = "\033]0;title\007\033[2J\033[1;1H\u009b5n";
        step("started", "a" + evil, "title", evil + "RUN make");
        step("started", "2", "title", "RUN make");
        printed("[2] " + evil + "printed\n[3] " + evil + "late\n");
        screen.show(Map.of("type", "progress", "state", "note", "note", evil + "note"));
        screen.show(Map.of("type", "progress", "state", "pulling", "phase", "resolved", "image", evil + "base"));
        screen.show(Map.of("type", "progress", "state", "exporting", "image", evil + "app"));
        screen.draw();
        step("failed", "2", "problem", "");
        screen.show(Map.of("type", "progress", "state", "failed", "problem", evil + "first\n" + evil + "second"));
        screen.show(Map.of("type", "ended"));
        // what the terminal does not know it refuses
        assertThat(seen()).contains("5nprinted", "5nnote", "5nfirst", "5nsecond");
        assertThat(bytes.toString(StandardCharsets.UTF_8)).doesNotContain("\u009b", "\033]");
    }

    @Test
    void endsWithTheColoursOfTheStepThatFailed() {
        var coloured = new BuildScreen(
                new PrintStream(bytes, true, StandardCharsets.UTF_8), () -> size, () -> nanos, Ink.COLOURED, "");
        coloured.show(Map.of("type", "progress", "state", "started", "step", "1", "title", "RUN make"));
        coloured.show(Map.of("type", "stdout", "data", "[1] \033[2J\033[35mpink\n"));
        coloured.show(Map.of("type", "progress", "state", "failed", "step", "1", "problem", "run"));
        coloured.show(Map.of("type", "ended"));
        assertThat(bytes.toString(StandardCharsets.UTF_8)).contains("\n\033[35mpink\033[0m\n");
    }

    @Test
    void losesNoNoteWhenTheConnectionEnds() {
        screen.show(Map.of("type", "progress", "state", "note", "note", "Dockerfile:1: no tag"));
        screen.close();
        assertThat(seen()).containsExactly("Dockerfile:1: no tag", "");
    }

    @Test
    void hasColoursOnlyWhereTheyAreWanted() {
        step("cached", "1", "title", "COPY a /");
        screen.draw();
        assertThat(bytes.toString(StandardCharsets.UTF_8)).doesNotContain("\033[36m");
        var coloured = new BuildScreen(
                new PrintStream(bytes, true, StandardCharsets.UTF_8), () -> size, () -> nanos, Ink.COLOURED, "");
        coloured.show(Map.of("type", "progress", "state", "cached", "step", "1", "title", "COPY a /"));
        coloured.draw();
        assertThat(bytes.toString(StandardCharsets.UTF_8)).contains("\033[36m  CACHED    \033[0m");
    }
}
