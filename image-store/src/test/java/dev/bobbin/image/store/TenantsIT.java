package dev.bobbin.image.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.image.Credentials;
import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageManifest;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.MediaTypes;
import dev.bobbin.image.TestImages;
import dev.bobbin.image.registry.LyingRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What Mallory, who has a registry of her own and knows the digests of Ann's private image, gets of it. Needs root,
/// docker-registry and skopeo.
@Timeout(60)
class TenantsIT {
    private static final byte[] SECRET =
            TestImages.tar().file("secret", "Ann's").bytes();

    @TempDir
    Path directory;

    private TestRegistry registry;
    private LyingRegistry mallorys;
    private ImageStore store;
    private ImageReference anns;
    private ImageManifest manifest;
    private ImageReference crafted;

    @BeforeEach
    void open() throws Exception {
        registry = TestRegistry.start(directory.resolve("registry"));
        store = ImageStore.open(
                directory.resolve("store"), StoreConfig.DEFAULT.withHostImage(false), new SimpleMeterRegistry());
        TestImages.layout(directory.resolve("layout"), "x", TestImages.config("hers"), List.of(SECRET));
        TestRegistry.skopeo("oci:" + directory.resolve("layout") + ":x", "docker://" + registry.host() + "/private:1");
        anns = registry.reference("private:1");
        store.pull("ann", anns, PullPolicy.MISSING, Credentials.ANONYMOUS, _ -> {});
        var document = store.manifest("ann", null, "private", "1").orElseThrow();
        manifest = ImageManifest.parse(document.bytes(), document.descriptor().mediaType());
        mallorys = LyingRegistry.at("127.0.0.1")
                .on("/v2/", LyingRegistry.status(200))
                .on("/crafted/", LyingRegistry.status(404));
        crafted = new ImageReference("127.0.0.1:" + mallorys.port() + "/crafted:1");
    }

    @AfterEach
    void close() throws Exception {
        mallorys.close();
        store.close();
        registry.close();
    }

    @Test
    void aDigestInAManifestOpensNoLayer() {
        serve(config(SECRET), manifest.layers().getFirst());

        assertRefused(ImageProblem.NOT_FOUND);
    }

    @Test
    void aDigestInAManifestOpensNoConfiguration() {
        serve(manifest.config(), manifest.layers().getFirst());

        assertRefused(ImageProblem.NOT_FOUND);
    }

    @Test
    void aConfigurationThatClaimsAnotherLayersContentIsRefused() throws Exception {
        var own = put(
                MediaTypes.OCI_LAYER_GZIP,
                gzip(TestImages.tar().file("own", "Mallory's").bytes()));
        serve(config(SECRET), own);

        assertRefused(ImageProblem.INVALID);
    }

    @Test
    void anArchiveThatOnlyNamesContentBringsNone() throws Exception {
        var layout = directory.resolve("layout");
        Files.move(layout.resolve("blobs"), directory.resolve("blobs"));
        Files.createDirectories(layout.resolve("blobs/sha256"));
        assertThatThrownBy(this::load)
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.problem()).isEqualTo(ImageProblem.INVALID));

        for (var part : List.of(index(), manifest.config())) {
            var path = "sha256/" + part.digest().hex();
            Files.copy(
                    directory.resolve("blobs").resolve(path),
                    layout.resolve("blobs").resolve(path));
            assertThatThrownBy(this::load).isInstanceOf(ImageException.class).hasMessageContaining("the archive");
        }
        assertThat(store.list("mallory")).isEmpty();
        var layer = "sha256/" + manifest.layers().getFirst().digest().hex();
        Files.copy(
                directory.resolve("blobs").resolve(layer),
                layout.resolve("blobs").resolve(layer));
        assertThat(load()).hasSize(1);
    }

    @Test
    void whoeverTheRegistryGivesItGetsIt() throws Exception {
        var before = registry.blobRequests().size();

        store.pull("bob", anns, PullPolicy.MISSING, Credentials.ANONYMOUS, _ -> {});

        // the repository gave the layer before, and gives Bob its manifest and configuration
        assertThat(registry.blobRequests()).hasSize(before + 1);
        try (var rootfs = store.lease("bob", anns).orElseThrow()) {
            assertThat(store.layers().resolve(rootfs.layers().getFirst()).resolve("secret"))
                    .hasContent("Ann's");
        }
        store.pull("bob", anns, PullPolicy.ALWAYS, Credentials.ANONYMOUS, _ -> {});
        assertThat(registry.blobRequests()).hasSize(before + 1);
    }

    @Test
    void anotherRepositoryThatSaysItHasTheLayerMustGiveIt() throws Exception {
        TestRegistry.skopeo("oci:" + directory.resolve("layout") + ":x", "docker://" + registry.host() + "/other:1");
        var before = registry.blobRequests().size();

        store.pull("bob", registry.reference("other:1"), PullPolicy.MISSING, Credentials.ANONYMOUS, _ -> {});

        assertThat(registry.blobRequests()).hasSize(before + 2);
    }

    private void assertRefused(ImageProblem problem) {
        assertThatThrownBy(() -> store.pull("mallory", crafted, PullPolicy.ALWAYS, Credentials.ANONYMOUS, _ -> {}))
                .isInstanceOfSatisfying(
                        ImageException.class,
                        e -> assertThat(e.problem()).as(e.toString()).isEqualTo(problem));
        assertThat(store.list("mallory")).isEmpty();
        assertThat(store.lease("mallory", crafted)).isEmpty();
        assertThat(store.blob("mallory", manifest.layers().getFirst().digest())).isEmpty();
        // and Ann's is untouched
        store.lease("ann", anns).orElseThrow().close();
    }

    private List<Image> load() throws Exception {
        var archive = directory.resolve("crafted.tar");
        TestRegistry.run(
                "tar",
                "-C",
                directory.resolve("layout").toString(),
                "-cf",
                archive.toString(),
                "index.json",
                "oci-layout",
                "blobs");
        try (var in = Files.newInputStream(archive)) {
            return store.load("mallory", in);
        }
    }

    private Descriptor index() {
        return store.manifest("ann", null, "private", "1").orElseThrow().descriptor();
    }

    private void serve(Descriptor config, Descriptor layer) {
        var made = new ImageManifest(MediaTypes.OCI_MANIFEST, config, List.of(layer), Map.of());
        mallorys.on(
                "/crafted/manifests/",
                LyingRegistry.fixed(200, made.bytes(), "Content-Type: " + MediaTypes.OCI_MANIFEST));
    }

    /// A configuration of Mallory's that says her only layer unpacks to `tar`.
    private Descriptor config(byte[] tar) {
        var json = "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"cat\",\"secret\"]},"
                + "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" + Digest.sha256(tar) + "\"]}}";
        return put(MediaTypes.OCI_CONFIG, json.getBytes(StandardCharsets.UTF_8));
    }

    private Descriptor put(String type, byte[] content) {
        var digest = Digest.sha256(content);
        mallorys.on("/crafted/blobs/" + digest, LyingRegistry.fixed(200, content));
        return new Descriptor(type, digest, content.length);
    }

    private static byte[] gzip(byte[] plain) throws IOException {
        var out = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            gzip.write(plain);
        }
        return out.toByteArray();
    }
}
