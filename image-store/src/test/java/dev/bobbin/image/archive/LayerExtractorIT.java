package dev.bobbin.image.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What one layer becomes on the disk, and what is refused. Needs root.
class LayerExtractorIT {
    private static final String CAPABILITY_2 = "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

    @TempDir
    Path temp;

    @Test
    void makesFilesOfEveryKind() throws Exception {
        var layer = unpack(new TestTar()
                .as(0755, 7, 1_100_000_000)
                .directory("./d/")
                .as(04751, 1000, 1_200_000_000)
                .file("d/f", "content")
                .as(0777, 5, 1_300_000_000)
                .link("d/s", "/etc/passwd")
                .as(0600, 6, 1_400_000_000)
                .device('3', "d/null", 1, 3)
                .device('4', "d/disk", 8, 300)
                .device('6', "d/pipe", 0, 0)
                .hardLink("d/h", "d/f"));
        assertThat(Unpacked.contents(layer))
                .containsEntry("d", "d 755 7:7 1100000000.0000000000")
                .containsEntry("d/f", "f 4751 1000:1000 1200000000.0000000000")
                .containsEntry("d/s", "l 777 5:5 1300000000.0000000000 /etc/passwd")
                .containsEntry("d/null", "c 600 6:6 1400000000.0000000000")
                .containsEntry("d/disk", "b 600 6:6 1400000000.0000000000")
                .containsEntry("d/pipe", "p 600 6:6 1400000000.0000000000")
                .containsEntry("d/h", "f 4751 1000:1000 1200000000.0000000000")
                .hasSize(7);
        assertThat(Unpacked.run("stat", "-c", "%t:%T", layer + "/d/disk").strip())
                .isEqualTo("8:12c");
        assertThat(Files.isSameFile(layer.resolve("d/f"), layer.resolve("d/h"))).isTrue();
        assertThat(layer.resolve("d/h")).hasContent("content");
    }

    @Test
    void setsMetadataOfTheRoot() throws Exception {
        var layer =
                unpack(new TestTar().file("f", "").as(01777, 9, 1_500_000_000).directory("./"));
        assertThat(Unpacked.run("stat", "-c", "%a %u %Y", layer.toString()).strip())
                .isEqualTo("1777 9 1500000000");
    }

    @Test
    void setsTheTimesOfManyDirectoriesInWhateverOrder() throws Exception {
        var tar = new TestTar();
        for (var i = 0; i < 400; i++) {
            tar.as(0755, 0, 1_000_000 + i).directory("d" + i + "/");
        }
        for (var i = 399; i >= 0; i--) {
            tar.as(0644, 0, 5).file("d" + i + "/f", "x");
        }
        var contents = Unpacked.contents(unpack(tar));
        for (var i = 0; i < 400; i++) {
            assertThat(contents).containsEntry("d" + i, "d 755 0:0 " + (1_000_000 + i) + ".0000000000");
        }
    }

    @Test
    void givesTheSameTreeForTheSameArchive() throws Exception {
        var one = Unpacked.contents(unpack(new TestTar().file("implied/deep/f", "x")));
        var other = Unpacked.contents(new Unpacked(Files.createDirectory(temp.resolve("other")))
                .add(new TestTar().file("implied/deep/f", "x")));
        assertThat(one).isEqualTo(other).containsEntry("implied", "d 755 0:0 0.0000000000");
    }

    @Test
    void keepsCapabilitiesAndUserAttributesByteForByte() throws Exception {
        var binary = "\u00ff\0\1\n=\u0080 ";
        var layer = unpack(new TestTar()
                .pax(
                        "SCHILY.xattr.security.capability",
                        CAPABILITY_2,
                        "SCHILY.xattr.user.binary",
                        binary,
                        "SCHILY.xattr.trusted.overlay.opaque",
                        "y",
                        "SCHILY.xattr.security.selinux",
                        "context")
                .as(0755, 1000, 1)
                .file("f", "x")
                .pax("SCHILY.xattr.user.on", "directory", "SCHILY.xattr.trusted.overlay.opaque", "y")
                .directory("d/"));
        assertThat(Unpacked.attribute(layer.resolve("f"), "security.capability"))
                .isEqualTo("0100000200040000000000000000000000000000");
        assertThat(Unpacked.attribute(layer.resolve("f"), "user.binary")).isEqualTo("ff00010a3d8020");
        assertThat(Unpacked.attribute(layer.resolve("f"), "security.selinux")).isEqualTo("none");
        assertThat(Unpacked.attribute(layer.resolve("d"), "user.on")).isEqualTo("6469726563746f7279");
        assertThat(Unpacked.isOpaque(layer.resolve("d"))).isFalse();
        assertThat(Unpacked.run("getcap", layer + "/f")).isEqualTo(layer + "/f cap_net_bind_service=ep\n");
    }

    @Test
    void takesCapabilitiesOfTheThirdRevisionOnlyWithoutAnOwner() throws Exception {
        var third = "\1\0\0\3" + CAPABILITY_2.substring(4);
        var layer = unpack(new TestTar()
                .pax("SCHILY.xattr.security.capability", third + "\0\0\0\0")
                .file("f", "x"));
        assertThat(Unpacked.attribute(layer.resolve("f"), "security.capability"))
                .isEqualTo("0100000200040000000000000000000000000000");
        refused(
                new TestTar()
                        .pax("SCHILY.xattr.security.capability", third + "\0\0\1\0")
                        .file("g", "x"),
                "capabilities");
        refused(new TestTar().pax("SCHILY.xattr.security.capability", "junk").file("g", "x"), "capabilities");
    }

    @Test
    void keepsNamesThatAreNotText() throws Exception {
        var name = "\u00e9\u00ff new\nline \u0001";
        unpack(new TestTar().file("d/" + name, "x").link("d/l", "\u00fe"));
        var directory = Kernel.openDirectory(temp.resolve("layer0"));
        try {
            assertThat(Kernel.names(directory, "d")).containsExactlyInAnyOrder(name, "l");
            assertThat(Kernel.target(directory, "d/l")).isEqualTo("\u00fe");
        } finally {
            Kernel.close(directory);
        }
    }

    @Test
    void keepsIdsBeyondTheRangeOfASandbox() throws Exception {
        var layer = unpack(new TestTar().as(0644, 3_000_000, 1).file("f", "x"));
        assertThat(Unpacked.contents(layer).get("f")).contains("3000000:3000000");
        refused(new TestTar().as(0644, 0xffffffffL, 1).file("f", "x"), "out of range");
        refused(new TestTar().as(0644, -5, 1).file("f", "x"), "out of range");
        refused(new TestTar().as(0644, 1L << 32, 1).file("f", "x"), "out of range");
        assertThat(Unpacked.contents(new Unpacked(Files.createDirectory(temp.resolve("large")))
                                .add(new TestTar().as(0644, 0xfffffffeL, 1).file("f", "x")))
                        .get("f"))
                .contains("4294967294:4294967294");
    }

    @Test
    void makesAbsoluteNamesRelative() throws Exception {
        var layer = unpack(new TestTar().file("/a//./b", "x"));
        assertThat(layer.resolve("a/b")).hasContent("x");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../f", "a/../../f", "/../f", "a/..", "..", "./../f"})
    void refusesNamesThatLeadOut(String name) throws Exception {
        refused(new TestTar().file(name, "x"), "leads out of it");
        refused(new TestTar().pax("path", name).file("harmless", "x"), "leads out of it");
        refused(new TestTar().entry('L', "././@LongLink", "", name + "\0").file("harmless", "x"), "leads out of it");
        refused(new TestTar().file("f", "x").hardLink("h", name), "leads out of it");
        assertThat(temp.resolve("f")).doesNotExist();
    }

    @Test
    void writesThroughLinksOnlyInsideTheRoot() throws Exception {
        var outside = Files.createDirectory(temp.resolve("outside"));
        var layer = unpack(new TestTar()
                .link("absolute", outside.toString())
                .file("absolute/f", "x")
                .link("upwards", "../../../../../.." + outside)
                .file("upwards/g", "x")
                .link("chain", "upwards/../chained")
                .file("chain/h", "x"));
        assertThat(outside).isEmptyDirectory();
        assertThat(layer.resolve(outside.toString().substring(1)).resolve("f")).hasContent("x");
        assertThat(layer.resolve(outside.toString().substring(1)).resolve("g")).hasContent("x");
        assertThat(layer.resolve(outside.toString().substring(1)).resolveSibling("chained/h"))
                .hasContent("x");
    }

    @Test
    void replacesALinkThatAFileHasTheNameOf() throws Exception {
        var victim = Files.writeString(temp.resolve("victim"), "untouched");
        var layer = unpack(new TestTar().link("f", victim.toString()).file("f", "mine"));
        assertThat(victim).hasContent("untouched");
        assertThat(layer.resolve("f")).hasContent("mine").isRegularFile();
        assertThat(Files.isSymbolicLink(layer.resolve("f"))).isFalse();
    }

    @Test
    void linksToALinkItselfAndNotToWhereItLeads() throws Exception {
        var victim = Files.writeString(temp.resolve("victim"), "untouched");
        var layer = unpack(new TestTar().link("s", victim.toString()).hardLink("h", "s"));
        assertThat(Files.isSymbolicLink(layer.resolve("h"))).isTrue();
        assertThat(Files.getAttribute(victim, "unix:nlink")).isEqualTo(1);
    }

    @Test
    void resolvesHardLinksAgainstTheRootAndNotTheWorkingDirectory() throws Exception {
        refused(new TestTar().hardLink("h", "pom.xml"), "hard link to no file");
        refused(new TestTar().hardLink("h", "/etc/passwd"), "hard link to no file");
        refused(new TestTar().link("x", "/etc").hardLink("h", "x/passwd"), "hard link to no file");
        refused(new TestTar().directory("d/").hardLink("h", "d"), "hard link to no file");
        refused(new TestTar().hardLink("h", "/"), "hard link to no file");
    }

    @Test
    void keepsAFileThatIsLinkedToItself() throws Exception {
        assertThat(unpack(new TestTar().file("f", "x").hardLink("./f", "f")).resolve("f"))
                .hasContent("x");
    }

    @Test
    void breaksHardLinksWhenOneNameIsReplaced() throws Exception {
        var layer = unpack(new TestTar().file("a", "old").hardLink("b", "a").file("b", "new"));
        assertThat(layer.resolve("a")).hasContent("old");
        assertThat(layer.resolve("b")).hasContent("new");
    }

    @Test
    void takesTheLastOfSeveralEntriesOfOneName() throws Exception {
        var layer = unpack(new TestTar()
                .directory("x/")
                .file("x/deep/f", "1")
                .file("x", "now a file")
                .file("y", "1")
                .directory("y/")
                .file("y/f", "2")
                .link("z", "y")
                .directory("z/")
                .file("z/f", "3")
                .file("w", "first")
                .file("w", "2nd"));
        assertThat(layer.resolve("x")).hasContent("now a file");
        assertThat(layer.resolve("y/f")).hasContent("2");
        assertThat(layer.resolve("z/f")).hasContent("3");
        assertThat(layer.resolve("w")).hasContent("2nd");
    }

    @Test
    void refusesFilesBelowFiles() throws Exception {
        refused(new TestTar().file("f", "x").file("f/g", "y"), "is used as a directory");
        refused(new TestTar().device('6', "p", 0, 0).file("p/g", "y"), "is used as a directory");
    }

    @Test
    void refusesLoopsOfLinks() throws Exception {
        refused(new TestTar().link("a", "b").link("b", "a").file("a/f", "x"), "too many symbolic links");
        refused(new TestTar().link("a", "a/a").file("a/f", "x"), "too many symbolic links");
    }

    @Test
    void makesHolesOfSparseFiles() throws Exception {
        var layer = unpack(new TestTar()
                .pax("GNU.sparse.map", "0,3,1000000,4", "GNU.sparse.size", "2000000", "GNU.sparse.name", "zeroOne")
                .file("ignored", "abcdefg")
                .pax(
                        "GNU.sparse.major",
                        "1",
                        "GNU.sparse.minor",
                        "0",
                        "GNU.sparse.name",
                        "one",
                        "GNU.sparse.realsize",
                        "9000")
                .file("ignored", "1\n5000\n4\n" + "\0".repeat(503) + "wxyz"));
        assertThat(Files.size(layer.resolve("zeroOne"))).isEqualTo(2_000_000);
        var content = Files.readAllBytes(layer.resolve("zeroOne"));
        assertThat(new String(content, 0, 3, java.nio.charset.StandardCharsets.UTF_8))
                .isEqualTo("abc");
        assertThat(new String(content, 1_000_000, 4, java.nio.charset.StandardCharsets.UTF_8))
                .isEqualTo("defg");
        assertThat((Integer) Integer.parseInt(
                        Unpacked.run("stat", "-c", "%b", layer + "/zeroOne").strip()))
                .isLessThan(40);
        assertThat(Files.size(layer.resolve("one"))).isEqualTo(9000);
        assertThat(Files.readAllBytes(layer.resolve("one"))[5001]).isEqualTo((byte) 'x');
    }

    @Test
    void refusesMapsOfSparseFilesThatLie() throws Exception {
        for (var map : List.of("0,9", "0,3,2,4", "5,7", "-1,7", "0,7,9223372036854775807,0", "0", "x,y")) {
            refused(
                    new TestTar()
                            .pax("GNU.sparse.map", map, "GNU.sparse.size", "10", "GNU.sparse.name", "f")
                            .file("f", "abcdefg"),
                    "sparse map");
        }
    }

    @Test
    void readsAMapThatFillsItsBlock() throws Exception {
        var numbers = new java.util.ArrayList<Integer>();
        var text = map(numbers, 512);
        var content = "abcdefgh".repeat(numbers.size()).substring(0, numbers.size());
        var layer = unpack(new TestTar()
                .pax(
                        "GNU.sparse.major",
                        "1",
                        "GNU.sparse.minor",
                        "0",
                        "GNU.sparse.name",
                        "f",
                        "GNU.sparse.realsize",
                        "9000000")
                .file("ignored", text + content)
                .file("next", "here"));
        var got = Files.readAllBytes(layer.resolve("f"));
        for (var i = 0; i < numbers.size(); i++) {
            assertThat((char) got[numbers.get(i)]).isEqualTo(content.charAt(i));
        }
        assertThat(layer.resolve("next")).hasContent("here");
    }

    /// A sparse map of one-byte segments, as long as `length` exactly.
    private static String map(List<Integer> offsets, int length) {
        while (true) {
            offsets.add(offsets.isEmpty() ? 1 : offsets.getLast() + 2);
            var text = new StringBuilder().append(offsets.size()).append('\n');
            offsets.forEach(at -> text.append(at).append("\n1\n"));
            var missing = length - text.length();
            if (missing < 5) {
                var last = offsets.removeLast();
                offsets.add(Integer.parseInt(last + "0".repeat(missing)));
                return text.insert(text.length() - "\n1\n".length(), "0".repeat(missing))
                        .toString();
            }
        }
    }

    @Test
    void refusesMapsOfSparseFilesInMixedFormats() throws Exception {
        for (var records : List.of(
                new String[] {"GNU.sparse.realsize", "9000"},
                new String[] {"GNU.sparse.major", "1", "GNU.sparse.minor", "0"},
                new String[] {"GNU.sparse.major", "0", "GNU.sparse.map", "0,1", "GNU.sparse.size", "9"},
                new String[] {"GNU.sparse.map", "0,1"},
                new String[] {"GNU.sparse.size", "9", "GNU.sparse.map", "0,1", "GNU.sparse.offset", "0"},
                new String[] {"GNU.sparse.size", "9", "GNU.sparse.numbytes", "1", "GNU.sparse.offset", "0"})) {
            refused(new TestTar().pax(records).file("f", "1\n0\n1\n"), "sparse map");
        }
        var sized = new String[] {"GNU.sparse.size", "9", "GNU.sparse.map", "0,1"};
        refused(new TestTar().pax(sized).directory("d/"), "sparse map of no file");
        refused(new TestTar().pax(sized).link("l", "target"), "sparse map of no file");
    }

    @Test
    void refusesAMapThatWouldFillTheMemory() throws Exception {
        refused(
                new TestTar()
                        .pax("GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.realsize", "9")
                        .file("f", "1000000000\n" + "0\n".repeat(2_000_000)),
                "sparse map of the archive has more than");
    }

    @ParameterizedTest
    @ValueSource(strings = {"gnu", "pax --sparse-version=0.0", "pax --sparse-version=0.1", "pax --sparse-version=1.0"})
    void keepsHolesOfEveryFormatOfGnuTar(String format) throws Exception {
        var name = "n".repeat(150);
        Unpacked.run(
                "sh",
                "-ec",
                "cd " + temp + "; for i in $(seq 40); do printf $i | dd of=" + name
                        + " bs=1 seek=${i}00000 conv=notrunc status=none; done; tar -S -cf made.tar --format=" + format
                        + " " + name);
        var layer = Files.createDirectory(temp.resolve("layer"));
        try (var tar = Files.newInputStream(temp.resolve("made.tar"))) {
            extract(tar, layer);
        }
        assertThat(Files.mismatch(temp.resolve(name), layer.resolve(name))).isEqualTo(-1);
        var blocks = Unpacked.run("stat", "-c", "%b", layer + "/" + name).strip();
        assertThat(Integer.parseInt(blocks)).isLessThan(1000);
    }

    @Test
    void readsHeadersAsGoDoes() throws Exception {
        var layer = unpack(new TestTar()
                .extended('g', "path", "global", "size", "1", "uid", "7")
                .pax("path", "first", "mtime", "9")
                .pax("path", "second")
                .file("short", "one")
                .entry('L', "././@LongLink", "", "old\0")
                .entry('L', "././@LongLink", "", "long\0junk")
                .pax("path", "record")
                .file("short", "two")
                .pax("SCHILY.devmajor", "8", "SCHILY.filetype", "sparse", "SCHILY.realsize", "1", "atime", "never")
                .device('3', "null", 1, 3)
                .pax("path", "lost")
                .entry('L', "././@LongLink", "", "lost\0")
                .extended('g', "comment", "an entry of its own")
                .file("plain", "three")
                .raw(TestTar.seal(new TestTar().header('1', "hard", "second", 99999))));
        assertThat(Unpacked.contents(layer)).containsOnlyKeys("second", "long", "null", "plain", "hard");
        assertThat(Unpacked.contents(layer).get("second")).contains("0:0 1000000000.");
        assertThat(layer.resolve("second")).hasContent("one");
        assertThat(layer.resolve("long")).hasContent("two");
        assertThat(Unpacked.run("stat", "-c", "%t:%T", layer + "/null").strip()).isEqualTo("1:3");
    }

    @Test
    void refusesHeadersThatGoReadsOtherwise() throws Exception {
        var digitsBehindZero = new TestTar().header('0', "f", "", 0);
        TestTar.put(digitsBehindZero, 124, "\00000000010\0");
        refused(new TestTar().raw(TestTar.seal(digitsBehindZero)), "number in a header");
        var highBits = new TestTar().header('0', "f", "", 0);
        TestTar.put(highBits, 124, "\u00c0\0\0\0\0\0\0\0\0\0\0\10");
        refused(new TestTar().raw(TestTar.seal(highBits)), "number in a header");
        var prefixed = new TestTar().header('0', "f", "", 0);
        TestTar.put(prefixed, 257, "\0\0\0\0\0\0\0\0");
        TestTar.put(prefixed, 345, "etc");
        refused(new TestTar().raw(TestTar.seal(prefixed)), "long name in a format without");
        for (var time : List.of("etc/", "\0etc", "\u00c0\0\0")) {
            for (var at : List.of(345, 357)) {
                var gnu = new TestTar().header('0', "f", "", 0);
                TestTar.put(gnu, 257, "ustar  \0");
                TestTar.put(gnu, 345, "00000000000\000" + "00000000000\000");
                TestTar.put(gnu, at, time);
                refused(new TestTar().raw(TestTar.seal(gnu)), "header.* of the archive");
            }
        }
        refused(new TestTar().entry('X', "f", "", ""), "no image may hold");
        refused(new TestTar().entry('S', "f", "", ""), "outside the format of gnu tar");
    }

    @Test
    void refusesBombsByTheNameOfTheLimit() throws Exception {
        var limits = new ExtractionLimits(3, 8192, 100, 20, 3);
        refused(limits, new TestTar().file("1", "").file("2", "").file("3", "").file("4", ""), "more than 3 entries");
        refused(limits, new TestTar().file("1", "x".repeat(9000)), "more than 8192 bytes");
        refused(limits, new TestTar().file("a".repeat(21), ""), "more than 20 bytes");
        refused(limits, new TestTar().file("a/b/c/d", ""), "more than 3 directories");
        var trailing = new TestTar().file("1", "x").raw(new byte[1024]).raw(new byte[9000]);
        refused(limits, trailing, "more than 8192 bytes");
    }

    /// With `-Dbobbin.test.entries=1000000`, a million of them.
    @Test
    void takesManyEntriesInTheMemoryOfFew() throws Exception {
        var entries = Integer.getInteger("bobbin.test.entries", 20_000);
        var fast = Files.createDirectory(temp.resolve("fast"));
        Unpacked.run("mount", "-t", "tmpfs", "none", fast.toString());
        try {
            var layer = Files.createDirectory(fast.resolve("layer"));
            var before = heap();
            var start = System.nanoTime();
            var extracted =
                    new LayerExtractor(ExtractionLimits.DEFAULT).extract(new ManyFiles(entries), layer, List.of());
            var seconds = (System.nanoTime() - start) / 1e9;
            var grown = heap() - before;
            System.out.printf(
                    "LayerExtractorIT: %d entries, %.1f s, %d KiB more in use%n", entries, seconds, grown >> 10);
            assertThat(extracted.entries()).isEqualTo((long) entries);
            assertThat(grown).isLessThan(4 << 20);
            assertThat(Unpacked.run("sh", "-c", "find " + layer + " -type f | wc -l")
                            .strip())
                    .isEqualTo(String.valueOf(ManyFiles.NAMES));
        } finally {
            Unpacked.run("umount", fast.toString());
        }
    }

    private static long heap() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    /// Entries without content, made as they are read, whose names come again and again.
    private static final class ManyFiles extends InputStream {
        static final int NAMES = 5000;

        private final int entries;
        private byte[] block = new byte[0];
        private int at;
        private int made;

        ManyFiles(int entries) {
            this.entries = entries;
        }

        @Override
        public int read() {
            var one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int from, int length) {
            if (at == block.length) {
                if (made > entries + 1) {
                    return -1;
                }
                var name = "d" + made % NAMES / 10 + "/f" + made % NAMES;
                var isEntry = made++ < entries;
                block = isEntry ? TestTar.seal(new TestTar().header('0', name, "", 0)) : new byte[512];
                at = 0;
            }
            var count = Math.min(length, block.length - at);
            System.arraycopy(block, at, buffer, from, count);
            at += count;
            return count;
        }
    }

    @Test
    void refusesArchivesThatAreNone() throws Exception {
        refused(new TestTar().raw(TestTar.bytes("x".repeat(2000))), "wrong checksum|no octal");
        refused(new TestTar().raw(new TestTar().header('0', "f", "", 5)), "wrong checksum");
        refused(new TestTar().entry('V', "volume", "", ""), "no image may hold");
        refused(new TestTar().pax("size", "-5").file("f", ""), "size is negative");
        refused(new TestTar().pax("size", "9223372036854775807").file("f", ""), "impossible size");
        refused(new TestTar().pax("size", "99999").file("f", ""), "middle of an entry");
        refused(new TestTar().entry('x', "p", "", "999 path=x\n"), "malformed length");
        refused(new TestTar().pax("path", "a\0b").file("f", ""), "zero byte");
        refused(new TestTar().raw(TestTar.seal(new TestTar().header('x', "p", "", 2L << 20))), "extended header");
        refused(new TestTar().link("l", ""), "link to nothing");
        refused(new TestTar().file("/", "x"), "as its root|cannot");
        refused(
                new TestTar()
                        .file("n".repeat(99) + "/", "x")
                        .pax("path", "n".repeat(300))
                        .file("f", ""),
                "too long");
    }

    @Test
    void saysWhenTheDiskIsFull() throws Exception {
        var small = Files.createDirectory(temp.resolve("small"));
        Unpacked.run("mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=20", "none", small.toString());
        try {
            var layer = Files.createDirectory(small.resolve("a"));
            assertThatThrownBy(() -> extract(new TestTar().file("f", "x".repeat(2_000_000)).stream(), layer))
                    .isInstanceOfSatisfying(
                            ImageException.class, e -> assertThat(e.problem()).isEqualTo(ImageProblem.DISK_FULL));
            var many = new TestTar();
            for (var i = 0; i < 30; i++) {
                many.file("i" + i, "");
            }
            assertThatThrownBy(() -> extract(many.stream(), layer))
                    .isInstanceOfSatisfying(
                            ImageException.class, e -> assertThat(e.problem()).isEqualTo(ImageProblem.DISK_FULL));
        } finally {
            Unpacked.run("umount", small.toString());
        }
    }

    @Test
    void endsWhenInterrupted() throws Exception {
        var layer = Files.createDirectory(temp.resolve("layer"));
        var endless = new InputStream() {
            private final byte[] entry = TestTar.seal(new TestTar().header('0', "f", "", 0));
            private int at;

            @Override
            public int read() {
                return entry[at++ & 511];
            }

            @Override
            public int read(byte[] buffer, int from, int length) {
                if (length > 0) {
                    buffer[from] = entry[at++ & 511];
                }
                return Math.min(length, 1);
            }
        };
        var failure = new Throwable[1];
        var thread = Thread.ofVirtual().start(() -> {
            try {
                extract(endless, layer);
            } catch (Throwable e) {
                failure[0] = e;
            }
        });
        while (Files.notExists(layer.resolve("f")) && thread.isAlive()) {
            Thread.onSpinWait();
        }
        thread.interrupt();
        thread.join(java.time.Duration.ofSeconds(20));
        assertThat(failure[0]).isInstanceOf(java.nio.channels.ClosedByInterruptException.class);
    }

    @Test
    void leavesNoDescriptorOpen() throws Exception {
        unpack(new TestTar().file("warm/up", ""));
        var before = descriptors();
        for (var i = 0; i < 20; i++) {
            var layer = Files.createDirectory(temp.resolve("l" + i));
            extract(new TestTar().file("a/b/c", "x").link("l", "a").file("l/d", "").stream(), layer);
            assertThatThrownBy(() -> extract(new TestTar().file("a/f", "").file("..", "").stream(), layer))
                    .isInstanceOf(ImageException.class);
        }
        assertThat(descriptors()).isLessThan(before + 10);
    }

    private static int descriptors() {
        return java.util.Objects.requireNonNull(new java.io.File("/proc/self/fd").list()).length;
    }

    @Test
    void cannotWriteElsewhereEvenIfItWould() throws Exception {
        if (!Kernel.canConfine()) {
            assertThat(System.getenv("CI")).as("Landlock is missing").isNull();
            System.out.println("skipped: this kernel has no Landlock");
            return;
        }
        var inside = Files.createDirectory(temp.resolve("inside"));
        var elsewhere = Files.writeString(temp.resolve("elsewhere"), "kept");
        Fence.around(inside, () -> {
            Files.writeString(inside.resolve("f"), "written");
            for (var write : List.<Fence.Work<?>>of(
                    () -> Files.writeString(elsewhere, "overwritten"),
                    () -> Files.createFile(temp.resolve("new")),
                    () -> Files.createLink(temp.resolve("link"), inside.resolve("f")),
                    () -> Files.createSymbolicLink(temp.resolve("symlink"), inside),
                    () -> Files.createDirectory(temp.resolve("directory")))) {
                assertThatThrownBy(write::run).isInstanceOf(java.io.IOException.class);
            }
            assertThatThrownBy(() -> Files.delete(elsewhere)).isInstanceOf(java.io.IOException.class);
            return "";
        });
        assertThat(elsewhere).hasContent("kept");
        assertThat(inside.resolve("f")).hasContent("written");
        Files.writeString(temp.resolve("other threads"), "go on");
    }

    @Test
    void unpacksWhatGnuTarWrites() throws Exception {
        var from = Files.createDirectory(temp.resolve("from"));
        Unpacked.run(
                "sh",
                "-ec",
                "cd " + from + "; mkdir -p d/" + "n".repeat(200) + "/" + "m".repeat(200)
                        + "; echo text > d/f; ln d/f d/hard; ln -s /d/f d/link; mkfifo d/pipe; mknod d/null c 1 3;"
                        + "truncate -s 5M d/sparse; printf end >> d/sparse; cd d/n*/m*; echo deep > " + "f".repeat(150)
                        + "; cd " + from
                        + "; cp /bin/true d/cap; setcap cap_net_raw+ep d/cap; chmod 4755 d/f; chown 70000:5 d/link -h;"
                        + "touch -d '2001-02-03 04:05:06.789' d/link -h; chmod 0 d/pipe; chmod 555 d");
        var expected = Unpacked.contents(from);
        for (var format : List.of("--format=gnu -S", "--format=pax -S --xattrs --xattrs-include=*", "--format=posix")) {
            var layer = Files.createDirectory(temp.resolve("to" + format.length()));
            Unpacked.run("sh", "-ec", "tar -C " + from + " " + format + " -cf " + temp + "/made.tar .");
            try (var tar = Files.newInputStream(temp.resolve("made.tar"))) {
                extract(tar, layer);
            }
            var got = Unpacked.contents(layer);
            if (format.contains("gnu")) {
                assertThat(seconds(got)).as(format).isEqualTo(seconds(expected));
            } else {
                assertThat(got).as(format).isEqualTo(expected);
            }
            assertThat(Unpacked.run("diff", "-r", "--no-dereference", from + "/d/f", layer + "/d/f"))
                    .isEmpty();
            assertThat(Unpacked.run("cmp", from + "/d/sparse", layer + "/d/sparse"))
                    .isEmpty();
        }
        var file = temp + "/to" + "--format=pax -S --xattrs --xattrs-include=*".length() + "/d/cap";
        assertThat(Unpacked.run("getcap", file)).isEqualTo(file + " cap_net_raw=ep\n");
    }

    private static java.util.Map<String, String> seconds(java.util.Map<String, String> contents) {
        var cut = new java.util.TreeMap<String, String>();
        contents.forEach((path, line) -> cut.put(path, line.replaceAll("\\.[0-9]{10}", "")));
        return cut;
    }

    private Path unpack(TestTar tar) throws Exception {
        return new Unpacked(temp).add(tar);
    }

    private void extract(InputStream tar, Path layer) throws java.io.IOException {
        new LayerExtractor(ExtractionLimits.DEFAULT).extract(tar, layer, List.of());
    }

    private void refused(TestTar tar, String reason) throws Exception {
        refused(ExtractionLimits.DEFAULT, tar, reason);
    }

    private void refused(ExtractionLimits limits, TestTar tar, String reason) throws Exception {
        var layer = Files.createTempDirectory(
                temp, "refused", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        assertThatThrownBy(() -> new LayerExtractor(limits).extract(tar.stream(), layer, List.of()))
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.problem()).isEqualTo(ImageProblem.INVALID))
                .satisfies(e -> assertThat(String.valueOf(e.getMessage()).toLowerCase(java.util.Locale.ROOT))
                        .matches("(?s).*(" + reason + ").*"));
        assertThat(Files.isDirectory(layer, LinkOption.NOFOLLOW_LINKS)).isTrue();
    }
}
