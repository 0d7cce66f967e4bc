package dev.bobbin.ops.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// A build in lines, which are somebody else's.
final class BuildLinesTest {
    private static String shown(@Nullable Ink terminal) {
        var bytes = new ByteArrayOutputStream();
        try (var lines = new BuildLines(new PrintStream(bytes, true, StandardCharsets.UTF_8), terminal)) {
            lines.show(
                    Map.of("type", "progress", "state", "started", "step", "1", "title", "RUN \033]0;title\007make"));
            lines.show(Map.of("type", "stdout", "data", "[1] \033[31mred\033"));
            lines.show(Map.of("type", "stdout", "data", "[2J\n[1] begun"));
            lines.show(Map.of("type", "ended"));
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void leavesAFileAsItIs() {
        assertThat(shown(null)).isEqualTo("""
                [1] START RUN \033]0;title\007make
                [1] \033[31mred\033[2J
                [1] begun""");
    }

    @Test
    void showsATerminalNoMoreThanColours() {
        assertThat(shown(Ink.COLOURED)).isEqualTo("""
                [1] START RUN make
                [1] \033[31mred\033[0m
                [1] begun
                """);
        assertThat(shown(Ink.PLAIN)).doesNotContain("\033").contains("[1] red\n[1] begun\n");
    }
}
