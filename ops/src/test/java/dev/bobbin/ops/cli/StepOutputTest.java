package dev.bobbin.ops.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What a step printed is here again, much or little of it, and on a full disk its end.
final class StepOutputTest {
    private static final int MANY = 200_000;

    private static List<String> lines(StepOutput output) throws IOException {
        var bytes = new ByteArrayOutputStream();
        output.writeTo(bytes);
        return bytes.toString(StandardCharsets.UTF_8).lines().toList();
    }

    private static void print(StepOutput output) {
        for (var i = 0; i < MANY; i++) {
            output.add(("line " + i).getBytes(StandardCharsets.UTF_8));
        }
    }

    @Test
    void keepsMuchInAFile() throws IOException {
        try (var output = new StepOutput()) {
            print(output);
            assertThat(lines(output)).hasSize(MANY).startsWith("line 0").endsWith("line " + (MANY - 1));
            assertThat(output.lost()).isEmpty();
        }
    }

    @Test
    void keepsTheEndOnAFullDisk() throws IOException {
        try (var output = new StepOutput(
                () -> FileChannel.open(Path.of("/dev/full"), StandardOpenOption.READ, StandardOpenOption.WRITE))) {
            print(output);
            assertThat(output.lost()).hasValueSatisfying(why -> assertThat(why).contains("No space left"));
            var kept = lines(output);
            assertThat(kept).endsWith("line " + (MANY - 2), "line " + (MANY - 1));
            // whole lines of the last 256 KiB
            var bytes = kept.stream().mapToInt(line -> line.length() + 1).sum();
            assertThat(bytes).isBetween(StepOutput.LITTLE - 20, StepOutput.LITTLE);
            assertThat(kept).first().isEqualTo("line " + (MANY - kept.size()));
        }
    }

    @Test
    void keepsTheEndWhereNoFileCanBeMade() throws IOException {
        try (var output = new StepOutput(() -> {
            throw new NoSuchFileException("/none");
        })) {
            print(output);
            output.add(new byte[3 * StepOutput.LITTLE]);
            assertThat(output.lost()).contains("/none");
            assertThat(lines(output))
                    .hasSize(1)
                    .first()
                    .satisfies(line -> assertThat(line).hasSize(StepOutput.LITTLE - 1));
        }
    }
}
