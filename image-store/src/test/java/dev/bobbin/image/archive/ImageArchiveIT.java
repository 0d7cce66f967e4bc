package dev.bobbin.image.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.image.ArchiveFormat;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageManifest;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.MediaTypes;
import dev.bobbin.image.Tools;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Archives of real tools read by us, and ours by them. Needs umoci, skopeo, podman and dockerd.
class ImageArchiveIT {
    private static final String NAME = "registry.example/team/app:1.0";

    @TempDir
    Path temp;

    private TestBlobs blobs;

    @BeforeEach
    void makeAnImage() throws Exception {
        Tools.require("umoci", "skopeo", "podman");
        blobs = new TestBlobs(Files.createDirectory(temp.resolve("blobs")));
        shell(
                "mkdir -p tree/etc tree/bin; echo one > tree/etc/one; seq 20000 > tree/bin/two; umoci init --layout layout;"
                        + "umoci new --image layout:1.0; umoci insert --image layout:1.0 tree/etc /etc;"
                        + "umoci insert --image layout:1.0 tree/bin /bin;"
                        + "umoci config --image layout:1.0 --config.cmd /bin/two --config.env A=B");
    }

    @Test
    void readsLayoutsOfUmoci() throws Exception {
        shell("tar -C layout -cf a.tar .");
        var image = read("a.tar").getFirst();
        assertThat(image.names()).containsExactly("1.0");
        assertThat(manifest(image).layers())
                .hasSize(2)
                .allMatch(layer -> layer.mediaType().equals(MediaTypes.OCI_LAYER_GZIP));
    }

    @Test
    void readsCompressedArchives() throws Exception {
        shell("tar -C layout -czf a.tar.gz .; tar -C layout -c . | zstd -q > a.tar.zst");
        assertThat(read("a.tar.gz")).isEqualTo(read("a.tar.zst")).hasSize(1);
    }

    @Test
    void readsEveryArchiveOfSkopeoAndPodman() throws Exception {
        shell("skopeo copy -q --insecure-policy oci:layout:1.0 oci-archive:oci.tar:" + NAME
                + "; skopeo copy -q --insecure-policy oci:layout:1.0 docker-archive:docker.tar:" + NAME);
        podman("load -qi docker.tar; $P save -q --format oci-archive -o podman-oci.tar " + NAME
                + "; $P save -q --format docker-archive -o podman-docker.tar " + NAME);
        for (var file : List.of("oci.tar", "docker.tar", "podman-oci.tar", "podman-docker.tar")) {
            var images = read(file);
            assertThat(images).as(file).hasSize(1);
            assertThat(images.getFirst().names()).as(file).containsExactly(NAME);
            var manifest = manifest(images.getFirst());
            assertThat(manifest.layers()).as(file).hasSize(2);
            assertThat(unpack(manifest)).as(file).isEqualTo("one\n");
        }
    }

    @Test
    void readsOldDockerArchivesWhoseLayersAreLinks() throws Exception {
        shell(
                "skopeo copy -q --insecure-policy oci:layout:1.0 docker-archive:docker.tar:" + NAME
                        + "; mkdir x; tar -C x -xf docker.tar; cd x;"
                        + "for f in $(ls | grep -E '^[0-9a-f]{64}.tar$'); do mkdir -p L$f; ln -s ../$f L$f/layer.tar;"
                        + " sed -i s,$f,L$f/layer.tar, manifest.json; done; grep -q layer.tar manifest.json; tar -cf ../old.tar .");
        assertThat(manifest(read("old.tar").getFirst()).layers()).hasSize(2);
    }

    @Test
    void writesWhatTheOthersRead() throws Exception {
        shell("tar -C layout -cf a.tar .");
        var read = read("a.tar").getFirst();
        var image = new ArchivedImage(List.of(NAME), read.manifest());
        for (var format : List.of(ArchiveFormat.OCI, ArchiveFormat.DOCKER)) {
            var file = write(format, image);
            shell("tar -tf " + file + " > list; grep -q index.json list");
            var kind = format == ArchiveFormat.OCI ? "oci-archive" : "docker-archive";
            var inspected = shell("skopeo inspect " + kind + ":" + file + ":" + NAME);
            assertThat(inspected).as(file).contains("\"A=B\"").contains("amd64");
            shell("rm -rf u; skopeo copy -q --insecure-policy " + kind + ":" + file + ":" + NAME
                    + " oci:u:1.0; umoci unpack --image u:1.0 bundle" + format + "; cmp tree/bin/two bundle" + format
                    + "/rootfs/bin/two");
            assertThat(podman("load -qi " + file)).as(file).contains(NAME);
            assertThat(read(file)).containsExactly(image);
        }
        write(ArchiveFormat.OCI, new ArchivedImage(List.of("1.0"), read.manifest()));
        shell(
                "mkdir o; tar -C o -xf OCI.tar; umoci unpack --image o:1.0 bundle; cmp tree/bin/two bundle/rootfs/bin/two");
    }

    @Test
    void writesWhatMiniboxReads() throws Exception {
        shell("tar -C layout -cf a.tar .");
        var manifest = read("a.tar").getFirst().manifest();
        var image = new ArchivedImage(List.of("short"), ArchivedImage.Naming.WHOLE, manifest);

        var file = write(ArchiveFormat.MINIBOX, image);

        assertThat(shell("tar -tf " + file + " | head -2"))
                .isEqualTo("meta.json\nblobs/sha256/" + manifest.digest().hex() + "\n");
        assertThat(shell("tar -xOf " + file + " meta.json"))
                .isEqualTo("{\"image\":\"short\",\"manifest_digest\":\""
                        + manifest.digest().hex() + "\"}");
        assertThat(read(file)).containsExactly(image);
    }

    @Test
    void dockerLoadsWhatWeWriteAndWeWhatItSaves() throws Exception {
        Tools.require("dockerd", "curl");
        shell("tar -C layout -cf a.tar .");
        var image = read("a.tar").getFirst();
        write(ArchiveFormat.DOCKER, new ArchivedImage(List.of(NAME), image.manifest()));
        try (var docker = DockerDaemon.start(temp.resolve("docker"))) {
            assertThat(docker.load(temp.resolve("DOCKER.tar"))).contains("Loaded image: " + NAME);
            assertThat(docker.inspect(NAME)).contains("\"A=B\"", "\"/bin/two\"");
            docker.save(NAME, temp.resolve("saved.tar"));
        }
        var saved = read("saved.tar").getFirst();
        assertThat(saved.names()).containsExactly(NAME);
        assertThat(manifest(saved).layers()).hasSize(2);
        assertThat(unpack(manifest(saved))).isEqualTo("one\n");
    }

    @Test
    void writesTheSameBytesForTheSameImages() throws Exception {
        shell("tar -C layout -cf a.tar .");
        var image = read("a.tar").getFirst();
        var first = Files.readAllBytes(temp.resolve(write(ArchiveFormat.OCI, image)));
        assertThat(Files.readAllBytes(temp.resolve(write(ArchiveFormat.OCI, image))))
                .isEqualTo(first);
        for (var line : shell("tar --utc -tvf OCI.tar").strip().split("\n", -1)) {
            assertThat(line).startsWith("-rw-r--r-- 0/0").contains("1970-01-01 00:00");
        }
    }

    @Test
    void refusesArchivesThatLackSomethingOrLie() throws Exception {
        shell(
                "tar -C layout -cf whole.tar .; cd layout; big=$(ls -S blobs/sha256 | head -1);"
                        + "tar -cf ../lacking.tar --exclude=$big .; printf x >> blobs/sha256/$big; tar -cf ../lying.tar .;"
                        + "cd ..; echo no > oci-layout; tar -cf none.tar oci-layout; echo '{}' > repositories; tar -cf old.tar repositories");
        refused("lacking.tar", ImageProblem.INVALID, "lacks sha256:");
        refused("lying.tar", ImageProblem.INVALID, "has the digest");
        refused("none.tar", ImageProblem.INVALID, "holds no image");
        refused("old.tar", ImageProblem.UNSUPPORTED, "before 1.10");
        var table = "[{\"Config\":\"c.json\",\"RepoTags\":[],\"Layers\":[\"l.tar\"]}]";
        var config = "{\"rootfs\":{\"diff_ids\":[\"sha256:" + "0".repeat(64) + "\"]}}";
        Files.write(
                temp.resolve("wrong.tar"),
                new TestTar()
                        .file("manifest.json", table)
                        .file("c.json", config)
                        .file("l.tar", "x")
                        .bytes());
        refused("wrong.tar", ImageProblem.INVALID, "has the digest");
        Files.write(
                temp.resolve("loop.tar"),
                new TestTar()
                        .file("manifest.json", table)
                        .link("c.json", "c.json")
                        .bytes());
        refused("loop.tar", ImageProblem.INVALID, "lacks c.json");
    }

    private void refused(String file, ImageProblem problem, String reason) {
        assertThatThrownBy(() -> read(file))
                .as(file)
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.problem()).isEqualTo(problem))
                .hasMessageContaining(reason);
    }

    private String unpack(ImageManifest manifest) throws Exception {
        var layer = Files.createTempDirectory(temp, "layer");
        var first = manifest.layers().getFirst();
        try (var in = Compression.open(blobs.open(first.digest()), first.mediaType(), ExtractionLimits.DEFAULT)) {
            new LayerExtractor(ExtractionLimits.DEFAULT).extract(in, layer, List.of());
        }
        return Files.readString(layer.resolve("etc/one"));
    }

    private ImageManifest manifest(ArchivedImage image) throws Exception {
        try (var in = blobs.open(image.manifest().digest())) {
            return ImageManifest.parse(in.readAllBytes(), image.manifest().mediaType());
        }
    }

    private List<ArchivedImage> read(String file) throws Exception {
        var bytes = Files.readAllBytes(temp.resolve(file));
        return ImageArchive.read(new ByteArrayInputStream(bytes), blobs, ExtractionLimits.DEFAULT);
    }

    private String write(ArchiveFormat format, ArchivedImage image) throws Exception {
        var out = new ByteArrayOutputStream();
        ImageArchive.write(out, format, List.of(image), blobs);
        Files.write(temp.resolve(format + ".tar"), out.toByteArray());
        return format + ".tar";
    }

    private String podman(String command) throws Exception {
        return shell("P=\"podman --root " + temp + "/podman --runroot " + temp
                + "/podman-run --storage-driver vfs\"; $P " + command);
    }

    private String shell(String script) throws Exception {
        return Unpacked.run("sh", "-ec", "cd " + temp + "; " + script);
    }
}
