package dev.bobbin.ops.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Directories and archives of strangers: nothing but a layout's own files comes in or goes out.
final class LayoutDirectoryTest {
    private static final String BLOB = "blobs/sha256/" + "a".repeat(64);

    @TempDir
    Path temp;

    @Test
    void givesWhatItTook() throws Exception {
        var from = layout();
        var to = Files.createDirectory(temp.resolve("to"));

        LayoutDirectory.write(LayoutDirectory.archive(from), to);

        for (var name : List.of("oci-layout", "index.json", BLOB)) {
            assertThat(to.resolve(name)).hasSameBinaryContentAs(from.resolve(name));
        }
        try (var files = Files.list(to)) {
            assertThat(files).hasSize(3);
        }
    }

    @Test
    void writesAnArchiveThatTarReads() throws Exception {
        Files.write(temp.resolve("made.tar"), LayoutDirectory.archive(layout()).readAllBytes());
        var tar = new ProcessBuilder("tar", "-tf", temp.resolve("made.tar").toString()).start();
        assertThat(new String(tar.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .isEqualTo("oci-layout\nindex.json\n" + BLOB + "\n");
        assertThat(tar.waitFor()).isZero();
    }

    @Test
    void leavesOutWhatBelongsToNoLayout() throws Exception {
        var layout = layout();
        Files.writeString(layout.resolve("secret"), "");
        Files.writeString(layout.resolve("blobs/sha256/note"), "");
        Files.createDirectories(layout.resolve("blobs/md5"));
        try (var tar = new TarArchiveInputStream(LayoutDirectory.archive(layout))) {
            assertThat(List.of(
                            tar.getNextEntry().getName(),
                            tar.getNextEntry().getName(),
                            tar.getNextEntry().getName()))
                    .containsExactly("oci-layout", "index.json", BLOB);
            assertThat(tar.getNextEntry()).isNull();
        }
    }

    @Test
    void sendsNothingThatALinkLeadsTo() throws Exception {
        var layout = layout();
        var secret = Files.writeString(temp.resolve("secret"), "secret");
        Files.delete(layout.resolve(BLOB));
        Files.createSymbolicLink(layout.resolve(BLOB), secret);
        assertThatThrownBy(() -> LayoutDirectory.archive(layout))
                .isInstanceOf(LayoutDirectory.UnusableException.class)
                .hasMessageContaining("is not a plain file");

        var other = Files.createDirectory(temp.resolve("other"));
        Files.createSymbolicLink(other.resolve("blobs"), layout.resolve("blobs"));
        Files.writeString(other.resolve("index.json"), "{}");
        Files.writeString(other.resolve("oci-layout"), "{}");
        Files.delete(layout.resolve(BLOB));
        Files.writeString(layout.resolve(BLOB), "secret");
        assertThat(new String(LayoutDirectory.archive(other).readAllBytes(), StandardCharsets.ISO_8859_1))
                .doesNotContain("secret");
    }

    @Test
    void refusesDirectoriesThatAreNoLayout() {
        assertThatThrownBy(() -> LayoutDirectory.archive(temp)).hasMessageContaining("it has no index.json");
    }

    @Test
    void noticesAFileThatIsCutMeanwhile() throws Exception {
        var layout = layout();
        Files.write(layout.resolve(BLOB), new byte[1 << 20]);
        var archive = LayoutDirectory.archive(layout);
        archive.readNBytes(8 * 512);
        Files.write(layout.resolve(BLOB), new byte[5000]);
        assertThatThrownBy(() -> archive.transferTo(OutputStream.nullOutputStream()))
                .isInstanceOf(EOFException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../escaped",
                "/tmp/escaped",
                "blobs/../../escaped",
                "blobs/sha256/../../../escaped",
                "blobs/sha256/short",
                "secret",
                "index.json/",
                "./index.json",
                ""
            })
    void refusesNamesThatNoLayoutHas(String name) throws Exception {
        var into = Files.createDirectory(temp.resolve("into"));
        var file = new TarArchiveEntry(name, true);
        assertThatThrownBy(() -> LayoutDirectory.write(tar(file), into))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("belongs to no image layout");
        assertThat(into).isEmptyDirectory();
        assertThat(temp.resolve("escaped")).doesNotExist();
    }

    @Test
    void refusesLinksDirectoriesAndRepetitions() throws Exception {
        var into = Files.createDirectory(temp.resolve("into"));
        for (var type :
                List.of(TarConstants.LF_SYMLINK, TarConstants.LF_LINK, TarConstants.LF_DIR, TarConstants.LF_FIFO)) {
            var entry = new TarArchiveEntry("index.json", type);
            entry.setLinkName("/etc/passwd");
            assertThatThrownBy(() -> LayoutDirectory.write(tar(entry), into)).hasMessageContaining("no image layout");
        }
        assertThat(into).isEmptyDirectory();
        var twice = tar(new TarArchiveEntry("index.json"), new TarArchiveEntry("index.json"));
        assertThatThrownBy(() -> LayoutDirectory.write(twice, into)).isInstanceOf(FileAlreadyExistsException.class);
    }

    @Test
    void refusesAnArchiveThatEndsTooEarly() throws Exception {
        var whole = LayoutDirectory.archive(layout()).readAllBytes();
        for (var length : List.of(0, 512, 700, 1024, 1536, 2600)) {
            var into = Files.createDirectory(temp.resolve("into" + length));
            var cut = new ByteArrayInputStream(whole, 0, length);
            assertThatThrownBy(() -> LayoutDirectory.write(cut, into))
                    .as("cut at %d", length)
                    .isInstanceOf(IOException.class);
        }
    }

    private Path layout() throws IOException {
        var layout = Files.createDirectory(temp.resolve("layout"));
        Files.createDirectories(layout.resolve("blobs/sha256"));
        Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
        Files.writeString(layout.resolve("index.json"), "x".repeat(512));
        Files.writeString(layout.resolve(BLOB), "content");
        return layout;
    }

    private static ByteArrayInputStream tar(TarArchiveEntry... entries) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var out = new TarArchiveOutputStream(bytes)) {
            for (var entry : entries) {
                out.putArchiveEntry(entry);
                out.closeArchiveEntry();
            }
        }
        return new ByteArrayInputStream(bytes.toByteArray());
    }
}
