package dev.bobbin.image.archive;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a stack of unpacked layers shows once it is mounted. Needs root.
class LayersIT {
    @TempDir
    Path temp;

    private Unpacked layers;

    @BeforeEach
    void prepare() {
        layers = new Unpacked(temp);
    }

    @Test
    void hidesWhatIsWhitedOut() throws Exception {
        layers.add(new TestTar().file("a/one", "1").file("a/two", "2").file("b/three", "3"));
        var top =
                layers.add(new TestTar().file("a/.wh.one", "").file(".wh.b", "").file(".wh.never", ""));
        assertThat(Unpacked.isWhiteout(top.resolve("a/one"))).isTrue();
        assertThat(top.resolve("never")).doesNotExist();
        assertThat(layers.inOverlay("ls -A; ls -A a; cat a/two")).isEqualTo("a\ntwo\n2");
    }

    @Test
    void hidesAllOfAnOpaqueDirectoryButItsOwnInAnyOrder() throws Exception {
        layers.add(new TestTar().file("a/old", "").file("a/deep/old", "").file("b/old", ""));
        var top = layers.add(new TestTar()
                .file("a/new", "")
                .file("a/deep/.wh.old", "")
                .file("a/.wh..wh..opq", "")
                .file("b/.wh..wh..opq", "")
                .file("b/new", ""));
        assertThat(Unpacked.isOpaque(top.resolve("a"))).isTrue();
        assertThat(layers.inOverlay("find . -mindepth 1 | sort")).isEqualTo("./a\n./a/deep\n./a/new\n./b\n./b/new\n");
    }

    @Test
    void keepsWhatTheLayerItselfPutsUnderAWhiteout() throws Exception {
        layers.add(new TestTar().file("before/old", "").file("after/old", "").file("file", "old"));
        layers.add(new TestTar()
                .file(".wh.before", "")
                .file("before/new", "")
                .file("after/new", "")
                .file(".wh.after", "")
                .file("file", "new")
                .file(".wh.file", ""));
        assertThat(layers.inOverlay("find . -type f | sort; cat file"))
                .isEqualTo("./after/new\n./before/new\n./file\nnew");
    }

    @Test
    void refusesWhiteoutsOfTheDirectoryAbove() throws Exception {
        layers.add(new TestTar().file("a/f", "kept"));
        for (var name : java.util.List.of(".wh..", ".wh...", ".wh.", "a/.wh...", ".wh.x/y")) {
            org.assertj.core.api.Assertions.assertThatThrownBy(() ->
                            new Unpacked(Files.createTempDirectory(temp, "bad")).add(new TestTar().file(name, "")))
                    .as(name)
                    .isInstanceOf(dev.bobbin.image.ImageException.class);
        }
        assertThat(layers.inOverlay("cat a/f")).isEqualTo("kept");
    }

    @Test
    void takesAWhiteoutDeviceForAWhiteout() throws Exception {
        layers.add(new TestTar().file("a", "").file("b", ""));
        layers.add(new TestTar().device('3', "a", 0, 0).device('3', "none", 0, 0));
        assertThat(layers.inOverlay("ls -A")).isEqualTo("b\n");
    }

    @Test
    void passesOverTheBookkeepingOfAufs() throws Exception {
        layers.add(new TestTar()
                .file(".wh..wh.aufs", "")
                .directory(".wh..wh.plnk/")
                .file("a", ""));
        assertThat(layers.inOverlay("ls -A")).isEqualTo("a\n");
    }

    @Test
    void writesThroughAnAbsoluteLinkOfAParentAsDebianHasIt() throws Exception {
        layers.add(new TestTar()
                .directory("run/")
                .link("var/run", "/run")
                .as(0600, 3, 7)
                .file("run/kept", "1"));
        var top = layers.add(new TestTar().file("var/run/app/pid", "42"));
        assertThat(top.resolve("run/app/pid")).hasContent("42");
        assertThat(layers.inOverlay("readlink var/run; cat run/app/pid run/kept; stat -c %a run/kept"))
                .isEqualTo("/run\n421600\n");
    }

    @Test
    void keepsMetadataOfADirectoryThatALayerOnlyPassesThrough() throws Exception {
        layers.add(new TestTar()
                .as(01777, 9, 1_111_111_111)
                .pax("SCHILY.xattr.user.note", "kept")
                .directory("tmp/")
                .as(0700, 8, 1_222_222_222)
                .directory("./"));
        var top = layers.add(new TestTar().file("tmp/f", "x"));
        assertThat(layers.inOverlay("stat -c '%a %u %Y' tmp")).isEqualTo("1777 9 1111111111\n");
        assertThat(Unpacked.run("stat", "-c", "%a %u %Y", top.toString())).isEqualTo("700 8 1222222222\n");
        assertThat(Unpacked.attribute(top.resolve("tmp"), "user.note")).isEqualTo("6b657074");
    }

    @Test
    void linksToFilesOfParents() throws Exception {
        layers.add(new TestTar()
                .pax("SCHILY.xattr.security.capability", "\1\0\0\2\0\40\0\0\0\0\0\0\0\0\0\0\0\0\0\0")
                .as(0750, 4, 1_333_333_333)
                .file("bin/tool", "program")
                .link("bin/alias", "tool")
                .link("sbin", "/bin"));
        layers.add(new TestTar().hardLink("usr/tool", "sbin/tool").hardLink("usr/alias", "bin/alias"));
        assertThat(layers.inOverlay(
                        "test usr/tool -ef bin/tool; stat -c '%a %u %Y %h' usr/tool; cat usr/tool; readlink usr/alias;"
                                + "getcap usr/tool"))
                .isEqualTo("750 4 1333333333 2\nprogramtool\nusr/tool cap_net_raw=ep\n");
        assertThat(temp.resolve("layer0/bin/tool")).hasContent("program");
    }

    @Test
    void doesNotLinkToWhatIsHidden() throws Exception {
        layers.add(new TestTar().file("a/f", "secret").file("b/f", "secret"));
        layers.add(new TestTar().file(".wh.a", "").file("b/.wh..wh..opq", ""));
        for (var hidden : java.util.List.of("a/f", "b/f")) {
            org.assertj.core.api.Assertions.assertThatThrownBy(() -> layers.add(new TestTar().hardLink("h", hidden)))
                    .hasMessageContaining("hard link to no file");
            Unpacked.run("rm", "-rf", temp + "/layer2");
        }
    }

    @Test
    void replacesDirectoriesOfParentsByFilesAndBack() throws Exception {
        layers.add(new TestTar().file("d/f", "1").file("x", "file").link("l", "d"));
        layers.add(new TestTar()
                .file("d", "now a file")
                .file("x/f", "2")
                .directory("l/")
                .file("l/g", "3"));
        layers.add(new TestTar().file("d/h", "4"));
        assertThat(layers.inOverlay("find . -type f | sort; cat x/f l/g d/h")).isEqualTo("./d/h\n./l/g\n./x/f\n234");
    }

    @Test
    void honoursCapabilitiesOfAFile() throws Exception {
        var tar = new TestTar()
                .pax("SCHILY.xattr.security.capability", "\1\0\0\2\0\40\0\0\0\0\0\0\0\0\0\0\0\0\0\0")
                .as(0755, 0, 1)
                .entry('0', "cat", "", latin(Files.readAllBytes(Path.of("/bin/cat"))));
        layers.add(tar);
        assertThat(layers.inOverlay("setpriv --reuid 1000 --clear-groups ./cat /proc/self/status | grep CapEff"))
                .contains("0000000000002000");
    }

    private static String latin(byte[] bytes) {
        return new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1);
    }
}
