package dev.bobbin.runner.volume;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.kernel.RawPath;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileSizesTest {
    @TempDir
    private Path tree = Path.of("");

    @Test
    void countsWhatFilesTakeAndNotWhatTheySay() throws Exception {
        try (var sparse = new RandomAccessFile(tree.resolve("sparse").toFile(), "rw")) {
            sparse.setLength(1L << 40);
        }
        var strange = Files.createDirectory(RawPath.resolve(tree, "no text: \u00fc"));
        Files.write(strange.resolve("dense"), new byte[3 << 20]);
        Files.createSymbolicLink(tree.resolve("away"), Path.of("/"));
        assertThat(FileSizes.of(tree)).isBetween(3L << 20, 4L << 20);
    }

    @Test
    void looksNoDeeperThanItHasDescriptorsFor() throws Exception {
        var deep = tree;
        for (var level = 0; level < 400; level++) {
            deep = Files.createDirectory(deep.resolve("d"));
        }
        assertThat(FileSizes.of(tree)).isBetween(200L * 4096, 300L * 4096);
    }
}
