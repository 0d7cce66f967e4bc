package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is given of a directory that callers may name.
final class SharedDirectoryTest {
    @TempDir
    private Path root;

    private Path shared;
    private SharedPaths paths;

    @BeforeEach
    void fill() throws IOException {
        shared = Files.createDirectories(root.resolve("shared"));
        Files.createDirectories(shared.resolve("a/b"));
        Files.createDirectories(shared.resolve("own/deep"));
        Files.createDirectories(root.resolve("secret"));
        Files.writeString(shared.resolve("a/b/file"), "text");
        Files.writeString(shared.resolve("own/deep/key"), "secret");
        Files.writeString(root.resolve("secret/key"), "secret");
        Files.createSymbolicLink(shared.resolve("out"), root.resolve("secret"));
        Files.createSymbolicLink(shared.resolve("up"), Path.of("../secret"));
        paths = new SharedPaths(List.of(shared), List.of(shared.resolve("own")));
    }

    private Map<String, String> given(String path) throws IOException {
        var given = new TreeMap<String, String>();
        try (var directory = paths.directory(path)) {
            directory.giveTo((file, content) ->
                    given.put(file.name(), file.target() + new String(content.readAllBytes(), StandardCharsets.UTF_8)));
        }
        return given;
    }

    @Test
    void isAllThatIsInItAndLinksAsLinks() throws IOException {
        assertThat(given(shared.toString()))
                .containsOnlyKeys("a", "a/b", "a/b/file", "out", "up")
                .containsEntry("a/b/file", "text")
                .containsEntry("up", "../secret")
                .containsEntry("out", root.resolve("secret").toString());
        assertThat(given(shared.resolve("a").toString())).containsOnlyKeys("b", "b/file");
    }

    @Test
    void isNothingOfAPlaceOutside() {
        for (var path : List.of(
                root.toString(),
                root.resolve("secret").toString(),
                shared + "/../secret",
                "relative",
                "/",
                shared + "/own/deep",
                shared + "/own")) {
            assertThatThrownBy(() -> paths.directory(path)).as(path).isInstanceOf(SharedPaths.NotSharedException.class);
        }
        for (var link : List.of("out", "up", "up/../secret")) {
            assertThatThrownBy(() -> paths.directory(shared + "/" + link))
                    .as(link)
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void isNoFile() {
        assertThatThrownBy(() -> paths.directory(shared + "/a/b/file")).isInstanceOf(NotDirectoryException.class);
        assertThatThrownBy(() -> paths.directory(shared + "/none"))
                .hasMessage("stat " + shared + "/none: no such file or directory");
    }
}
