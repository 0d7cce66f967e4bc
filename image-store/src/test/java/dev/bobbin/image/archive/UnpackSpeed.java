package dev.bobbin.image.archive;

import java.io.BufferedInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// How fast is a layer unpacked? Arguments: the archive, an empty directory to work in, how often. Prints
/// milliseconds and MB/s of uncompressed archive each time.
final class UnpackSpeed {
    private UnpackSpeed() {}

    public static void main(String[] arguments) throws Exception {
        for (var round = 0; round < Integer.parseInt(arguments[2]); round++) {
            var target = Files.createDirectory(Path.of(arguments[1], "round" + round));
            var start = System.nanoTime();
            long bytes;
            try (var in = Compression.open(
                    new BufferedInputStream(Files.newInputStream(Path.of(arguments[0])), 1 << 17),
                    ExtractionLimits.DEFAULT)) {
                bytes = new LayerExtractor(ExtractionLimits.DEFAULT)
                        .extract(in, target, List.of())
                        .bytes();
            }
            var seconds = (System.nanoTime() - start) / 1e9;
            System.out.printf("%.0f ms %.0f MB/s%n", seconds * 1000, bytes / 1e6 / seconds);
            Unpacked.run("rm", "-rf", target.toString());
        }
    }
}
