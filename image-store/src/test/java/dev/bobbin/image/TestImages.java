package dev.bobbin.image;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/// Images for tests, made in memory: no download.
public final class TestImages {
    private static final Path BUSYBOX = Path.of("/bin/busybox");

    private TestImages() {}

    /// A layer in the making.
    public static Tar tar() {
        return new Tar();
    }

    /// The statically linked busybox of this machine under many names, users and a home.
    public static byte[] busybox() {
        if (!Files.isExecutable(BUSYBOX)) {
            throw new IllegalStateException("this test needs " + BUSYBOX + ": apt-get install busybox-static");
        }
        try {
            var tar = tar().directory("bin", 0755).file("bin/busybox", Files.readAllBytes(BUSYBOX), 0755);
            for (var name : List.of("sh", "cat", "echo", "ls", "id", "env", "pwd", "true", "sleep", "stat", "touch")) {
                tar.link("bin/" + name, "busybox");
            }
            return tar.directory("etc", 0755)
                    .file("etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n")
                    .file("etc/group", "root:x:0:\napp:x:1001:\nextra:x:2000:app\n")
                    .directory("home", 0755)
                    .owned("home/app", 1000, 1001)
                    .bytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A configuration that names a command and no more.
    public static ImageConfig config(String... command) {
        return new ImageConfig(Map.of(), List.of(), List.of(command), "root", "/");
    }

    public static InputStream stream(byte[] bytes) {
        return new ByteArrayInputStream(bytes);
    }

    /// Bytes that do not compress.
    public static byte[] noise(long seed, int size) {
        var noise = new byte[size];
        new Random(seed).nextBytes(noise);
        return noise;
    }

    /// Writes an image as an OCI layout.
    ///
    /// @param layers uncompressed, the lowest first
    /// @return the digest of its manifest
    public static Digest layout(Path directory, String tag, ImageConfig config, List<byte[]> layers)
            throws IOException {
        var blobs = Files.createDirectories(directory.resolve("blobs/sha256"));
        var descriptors = new java.util.ArrayList<Descriptor>();
        for (var layer : layers) {
            var packed = new ByteArrayOutputStream();
            try (var gzip = new GZIPOutputStream(packed)) {
                gzip.write(layer);
            }
            descriptors.add(put(blobs, MediaTypes.OCI_LAYER_GZIP, packed.toByteArray()));
        }
        var diffIds = layers.stream().map(Digest::sha256).toList();
        var whole = config.withOrigin(
                new ImageConfig.Origin(Platform.ofThisMachine(), java.time.Instant.EPOCH, diffIds, List.of()));
        var configBlob = put(blobs, MediaTypes.OCI_CONFIG, whole.bytes());
        var manifest = new ImageManifest(MediaTypes.OCI_MANIFEST, configBlob, descriptors, Map.of());
        var manifestBlob = put(blobs, MediaTypes.OCI_MANIFEST, manifest.bytes());
        var index = new ImageIndex(
                MediaTypes.OCI_INDEX,
                List.of(manifestBlob.withAnnotations(Map.of("org.opencontainers.image.ref.name", tag))),
                Map.of());
        Files.write(directory.resolve("index.json"), index.bytes());
        Files.writeString(directory.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
        return manifestBlob.digest();
    }

    private static Descriptor put(Path blobs, String mediaType, byte[] content) throws IOException {
        var descriptor = Descriptor.of(mediaType, content);
        Files.write(blobs.resolve(descriptor.digest().hex()), content);
        return descriptor;
    }

    /// An uncompressed tar archive in the making; every method gives itself.
    public static final class Tar {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private final TarArchiveOutputStream out = new TarArchiveOutputStream(bytes);

        private Tar() {
            out.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
        }

        public Tar file(String path, String text) {
            return file(path, text.getBytes(java.nio.charset.StandardCharsets.UTF_8), 0644);
        }

        public Tar file(String path, byte[] content, int mode) {
            var entry = new TarArchiveEntry(path);
            entry.setSize(content.length);
            entry.setMode(mode);
            return put(entry, content);
        }

        public Tar directory(String path, int mode) {
            var entry = new TarArchiveEntry(path + "/");
            entry.setMode(mode);
            return put(entry, new byte[0]);
        }

        /// A directory of somebody's.
        public Tar owned(String path, int uid, int gid) {
            var entry = new TarArchiveEntry(path + "/");
            entry.setMode(0755);
            entry.setIds(uid, gid);
            return put(entry, new byte[0]);
        }

        public Tar link(String path, String target) {
            var entry = new TarArchiveEntry(path, TarConstants.LF_SYMLINK);
            entry.setLinkName(target);
            return put(entry, new byte[0]);
        }

        public Tar hardLink(String path, String target) {
            var entry = new TarArchiveEntry(path, TarConstants.LF_LINK);
            entry.setLinkName(target);
            return put(entry, new byte[0]);
        }

        public byte[] bytes() {
            try {
                out.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return bytes.toByteArray();
        }

        private Tar put(TarArchiveEntry entry, byte[] content) {
            try {
                entry.setModTime(0);
                out.putArchiveEntry(entry);
                ((OutputStream) out).write(content);
                out.closeArchiveEntry();
                return this;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
