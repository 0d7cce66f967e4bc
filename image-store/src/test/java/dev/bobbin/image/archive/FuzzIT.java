package dev.bobbin.image.archive;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.ImageException;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Damaged and random archives: unpacked or refused, and nothing outside is touched. Needs root.
class FuzzIT {
    private static final int ROUNDS = 400;

    @TempDir
    Path temp;

    @Test
    void damagedArchivesAreUnpackedOrRefused() throws Exception {
        var random = random();
        for (var round = 0; round < ROUNDS; round++) {
            var bytes = sample().bytes();
            for (var flips = 1 + random.nextInt(6); flips > 0; flips--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            for (var block = 0; block + 512 <= bytes.length; block += 512) {
                if (random.nextInt(4) > 0 && bytes[block + 257] == 'u') {
                    var header = java.util.Arrays.copyOfRange(bytes, block, block + 512);
                    System.arraycopy(TestTar.seal(header), 0, bytes, block, 512);
                }
            }
            unpackOrRefuse(bytes, round);
        }
    }

    @Test
    void theSampleIsSound() throws Exception {
        var layer = Files.createDirectory(temp.resolve("sound"));
        new LayerExtractor(ExtractionLimits.DEFAULT).extract(sample().stream(), layer, List.of());
        assertThat(Files.size(layer.resolve("d/whole"))).isEqualTo(9000);
        assertThat(layer.resolve("d/oldest")).hasContent("\0\0abc\0\0\0\0");
        assertThat(layer.resolve("d/gnu")).hasContent("\0".repeat(512) + "abc");
    }

    @Test
    void randomTreesStayInside() throws Exception {
        var random = random();
        var names = List.of("a", "b", "a/b", "b/a", "a/b/c", "../a", "/a", ".wh.a", "a/.wh.b", "a/.wh..wh..opq", ".");
        var targets = List.of(
                "/",
                "..",
                "a",
                "/a",
                "../../..",
                "b/..",
                "a/b",
                temp.resolve("outside").toString());
        for (var round = 0; round < ROUNDS; round++) {
            var tar = new TestTar();
            for (var entries = random.nextInt(12); entries >= 0; entries--) {
                var name = names.get(random.nextInt(names.size()));
                var target = targets.get(random.nextInt(targets.size()));
                switch (random.nextInt(5)) {
                    case 0 -> tar.link(name, target);
                    case 1 -> tar.hardLink(name, target + "/" + names.get(random.nextInt(names.size())));
                    case 2 -> tar.directory(name);
                    case 3 -> tar.device('3', name, random.nextInt(2), random.nextInt(2));
                    default -> tar.file(name, "written by a layer");
                }
            }
            unpackOrRefuse(tar.bytes(), round);
        }
    }

    private static Random random() {
        var seed = Long.getLong("seed", System.nanoTime());
        System.out.println("FuzzIT seed " + seed);
        return new Random(seed);
    }

    private void unpackOrRefuse(byte[] bytes, int round) throws Exception {
        var outside = Files.createDirectories(temp.resolve("outside"));
        Files.writeString(outside.resolve("a"), "untouched");
        var parent = Files.createDirectories(temp.resolve("parent"));
        var layer = Files.createDirectory(temp.resolve("layer" + round));
        try {
            var limits = ExtractionLimits.DEFAULT.withBytes(1 << 20);
            new LayerExtractor(limits).extract(new ByteArrayInputStream(bytes), layer, List.of(parent));
        } catch (ImageException e) {
            assertThat(e.getMessage()).isNotEmpty();
        }
        assertThat(outside.resolve("a")).hasContent("untouched");
        assertThat(outside.toFile().list()).containsExactly("a");
        assertThat(parent).isEmptyDirectory();
        Unpacked.run("rm", "-rf", layer.toString());
    }

    /// The header of a file with a hole, as GNU tar writes it by default.
    private static byte[] oldSparse() {
        var header = new TestTar().header('S', "d/gnu", "", 3);
        TestTar.put(header, 257, "ustar  \0");
        TestTar.put(header, 386, "00000001000\000" + "00000000003\000");
        TestTar.put(header, 483, "00000001003\000");
        return TestTar.seal(header);
    }

    private static TestTar sample() {
        return new TestTar()
                .directory("d/")
                .file("d/f", "content")
                .pax("path", "d/long" + "g".repeat(120), "SCHILY.xattr.user.x", "\0\u00ff", "mtime", "12.5")
                .file("d/x", "more")
                .pax("GNU.sparse.map", "0,1,5,2", "GNU.sparse.size", "9", "GNU.sparse.name", "d/sparse")
                .file("d/s", "abc")
                .pax("GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.realsize", "9000")
                .file("d/whole", "1\n5000\n4\n" + "\0".repeat(503) + "wxyz")
                .pax("GNU.sparse.size", "9", "GNU.sparse.offset", "2", "GNU.sparse.numbytes", "3")
                .file("d/oldest", "abc")
                .raw(oldSparse())
                .padded("abc")
                .link("d/l", "f")
                .hardLink("d/h", "d/f")
                .device('3', "d/n", 1, 3)
                .entry('L', "././@LongLink", "", "d/" + "q".repeat(200) + "\0")
                .file("short", "")
                .file("d/.wh.gone", "");
    }
}
