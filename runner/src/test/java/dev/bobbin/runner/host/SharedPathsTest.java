package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SharedPathsTest {
    @TempDir
    Path directory = Path.of("");

    private void write(String path) throws IOException {
        new SharedPaths(List.of(directory), List.of()).write(path, _ -> false, SharedPathsTest::content);
    }

    private static void content(OutputStream out) throws IOException {
        out.write("content".getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void writesANewFile() throws IOException {
        Files.createDirectory(directory.resolve("below"));

        write(directory + "/below/file");

        assertThat(directory.resolve("below/file")).hasContent("content");
    }

    @Test
    void writesNothingThatIsOutOfSightNotEvenThroughALink() throws IOException {
        Files.createDirectories(directory.resolve(".ssh/below"));
        Files.createSymbolicLink(directory.resolve("link"), Path.of(".ssh"));

        for (var path : List.of(".profile", ".ssh/keys", ".ssh/below/keys", "link/keys", "link/below/keys")) {
            assertThatThrownBy(() -> write(directory + "/" + path))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("begin with a dot");
        }
        assertThat(directory.resolve(".profile")).doesNotExist();
        assertThat(directory.resolve(".ssh/below")).isEmptyDirectory();
    }

    @Test
    void leavesAFileThatMayNotBeReplaced() throws IOException {
        var there = Files.createFile(directory.resolve("there"));

        assertThatThrownBy(() -> write(there.toString())).isInstanceOf(IOException.class);
        assertThat(there).isEmptyFile();
    }
}
