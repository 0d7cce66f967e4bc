package dev.bobbin.image.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.image.ArchiveFormat;
import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageIndex;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.MediaTypes;
import dev.bobbin.image.Platform;
import dev.bobbin.image.PullProgress;
import dev.bobbin.image.TestImages;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A store beside a real registry. Needs root, docker-registry and skopeo.
@Timeout(120)
class ImageStoreIT {
    @TempDir
    Path directory;

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private TestRegistry registry;
    private ImageStore store;

    @BeforeEach
    void open() throws Exception {
        registry = TestRegistry.start(directory.resolve("registry"));
        store = reopened();
    }

    @AfterEach
    void close() {
        store.close();
        registry.close();
    }

    @Test
    void pullsUnpacksAndLeases() throws Exception {
        var reference = published("app:1", TestImages.config("hello"), threeLayers());
        var events = new ArrayList<PullProgress>();
        var image = store.pull("", reference, PullPolicy.MISSING, null, events::add);
        assertThat(image.config().command()).containsExactly("hello");
        assertThat(image.problem()).isNull();
        assertThat(events.getFirst()).isInstanceOf(PullProgress.Resolving.class);
        assertThat(events.getLast()).isEqualTo(new PullProgress.Done(image.digest()));
        assertThat(events)
                .filteredOn(PullProgress.LayerUnpacked.class::isInstance)
                .hasSize(3);
        try (var rootfs = store.lease("", reference).orElseThrow()) {
            assertThat(rootfs.layers()).hasSize(3);
            var layers = rootfs.layers().stream().map(store.layers()::resolve).toList();
            assertThat(layers.get(0).resolve("linked")).hasContent("top");
            assertThat(layers.get(1).resolve("shared")).hasContent("lowest");
            assertThat(layers.get(2).resolve("shared")).hasContent("lowest");
        }
        assertThat(store.list("")).extracting(Image::reference).containsExactly(ImageReference.HOST, reference);
        assertThat(meters.get("bobbin.image.pull").timer().count()).isEqualTo(1);
        assertThat(store.usage().reclaimableBytes()).isZero();
    }

    @Test
    void asksForNoContentTwice() throws Exception {
        var reference = published("app:1", TestImages.config("hello"), threeLayers());
        store.pull("", reference, PullPolicy.MISSING, null, _ -> {});
        var first = registry.blobRequests();
        store.pull("", reference, PullPolicy.MISSING, null, _ -> {});
        var events = new ArrayList<PullProgress>();
        store.pull("", reference, PullPolicy.ALWAYS, null, events::add);
        assertThat(events)
                .filteredOn(PullProgress.LayerExists.class::isInstance)
                .hasSize(3);
        var layers = registry.blobRequests();
        assertThat(layers.subList(first.size(), layers.size())).hasSizeLessThanOrEqualTo(1);
    }

    @Test
    void sixteenWhoPullAtOnceShareOneDownload() throws Exception {
        var reference = published(
                "big:1",
                TestImages.config("x"),
                List.of(TestImages.tar()
                        .file("noise", TestImages.noise(1, 20 << 20), 0644)
                        .bytes()));
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var all = new ArrayList<Future<Image>>();
            for (var number = 0; number < 16; number++) {
                var owner = number % 2 == 0 ? "" : "tenant-" + number;
                all.add(threads.submit(() -> store.pull(owner, reference, PullPolicy.MISSING, null, _ -> {})));
            }
            for (var one : all) {
                assertThat(one.get().problem()).isNull();
            }
        }
        var layer = registry.blobRequests().stream()
                .filter(path -> path.contains(layerOf(reference)))
                .toList();
        assertThat(layer).hasSize(1);
        assertThat(meters.get("bobbin.image.pull.coalesced").counter().count()).isGreaterThanOrEqualTo(1);
        assertThat(meters.get("bobbin.image.pull.bytes").counter().count()).isGreaterThan(20 << 20);
    }

    @Test
    void saysWhyNothingCame() {
        assertThatThrownBy(() -> store.pull("", registry.reference("none"), PullPolicy.MISSING, null, _ -> {}))
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.problem()).isEqualTo(ImageProblem.NOT_FOUND));
        assertThatThrownBy(() -> store.pull("", registry.reference("none"), PullPolicy.NEVER, null, _ -> {}))
                .isInstanceOf(ImageException.class);
        assertThatThrownBy(() -> store.pull("", ImageReference.HOST, PullPolicy.ALWAYS, null, _ -> {}))
                .hasMessageContaining("this machine itself");
    }

    @Test
    void survivesAReopening() throws Exception {
        var reference = published("app:1", TestImages.config("hello"), threeLayers());
        var image = store.pull("", reference, PullPolicy.MISSING, null, _ -> {});
        store.close();
        store = reopened();
        var found = store.find("", reference).orElseThrow();
        assertThat(found.digest()).isEqualTo(image.digest());
        assertThat(found.problem()).isNull();
        store.lease("", reference).orElseThrow().close();
    }

    @Test
    void namesWhatIsDamagedAndRepairsItByPulling() throws Exception {
        var reference = published("app:1", TestImages.config("hello"), threeLayers());
        var other = published(
                "other:1",
                TestImages.config("other"),
                List.of(TestImages.tar().file("x", "x").bytes()));
        store.pull("", reference, PullPolicy.MISSING, null, _ -> {});
        store.pull("", other, PullPolicy.MISSING, null, _ -> {});
        var blob = blobOf(layerOf(reference));
        store.close();
        Files.write(blob, new byte[] {1});
        store = reopened();
        var damaged = store.find("", reference).orElseThrow();
        assertThat(damaged.problem()).contains(blob.getFileName().toString(), "bobbin pull " + reference);
        store.lease("", other).orElseThrow().close();
        store.lease("", reference).orElseThrow().close();
        store.pull("", reference, PullPolicy.MISSING, null, _ -> {});
        assertThat(store.find("", reference).orElseThrow().problem()).isNull();
    }

    @Test
    void unpacksAgainWhatACrashTook() throws Exception {
        var reference = published("app:1", TestImages.config("hello"), threeLayers());
        store.pull("", reference, PullPolicy.MISSING, null, _ -> {});
        List<String> names;
        try (var rootfs = store.lease("", reference).orElseThrow()) {
            names = rootfs.layers();
        }
        store.close();
        for (var name : names) {
            TestRegistry.run(
                    "rm", "-rf", directory.resolve("store/layers/" + name).toString());
        }
        store = reopened();
        try (var rootfs = store.lease("", reference).orElseThrow()) {
            assertThat(store.layers().resolve(rootfs.layers().getFirst()).resolve("linked"))
                    .hasContent("top");
        }
        assertThat(store.find("", reference).orElseThrow().problem()).isNull();
    }

    @Test
    void detectsADamagedBlobWhenItIsReadAndLetsGoOfIt() throws Exception {
        var reference = published("app:1", TestImages.config("hello"), threeLayers());
        store.pull("", reference, PullPolicy.MISSING, null, _ -> {});
        var blob = blobOf(layerOf(reference));
        var content = Files.readAllBytes(blob);
        content[content.length / 2] ^= 1;
        Files.write(blob, content);
        var format = dev.bobbin.image.ArchiveFormat.OCI;
        var nowhere = java.io.OutputStream.nullOutputStream();
        assertThatThrownBy(() -> store.save("", List.of(reference), format, nowhere))
                .hasMessageContaining("damaged");
        assertThat(blob).doesNotExist();
        store.pull("", reference, PullPolicy.ALWAYS, null, _ -> {});
        store.save("", List.of(reference), format, nowhere);
    }

    @Test
    void keepsOwnersApart() throws Exception {
        var reference = published("app:1", TestImages.config("hello"), threeLayers());
        store.pull("ann", reference, PullPolicy.MISSING, null, _ -> {});
        assertThat(store.find("bob", reference)).isEmpty();
        assertThat(store.lease("bob", reference)).isEmpty();
        assertThat(store.list("bob")).hasSize(1);
        assertThat(store.remove("bob", reference)).isFalse();
        var image = store.find("ann", reference).orElseThrow();
        assertThat(store.manifest("bob", null, "app", "1")).isEmpty();
        assertThat(store.blob("bob", image.digest())).isEmpty();
        assertThat(store.blob("ann", image.digest())).isPresent();
        assertThat(store.manifest("ann", null, "app", "1")).isPresent();
        assertThat(store.tags("ann", registry.host(), "app")).containsExactly("1");
        var shared = published("shared:1", TestImages.config("x"), threeLayers());
        store.pull("", shared, PullPolicy.MISSING, null, _ -> {});
        assertThat(store.find("bob", shared)).isPresent();
        assertThat(store.remove("bob", shared)).isFalse();
    }

    @Test
    void removesWithTheLastNameAndNeverALeasedLayer() throws Exception {
        var reference = published("app:1", TestImages.config("hello"), threeLayers());
        store.pull("", reference, PullPolicy.MISSING, null, _ -> {});
        var second = new ImageReference("other:2");
        store.tag("", reference, second);
        assertThat(store.remove("", reference)).isTrue();
        assertThat(store.find("", second).orElseThrow().problem()).isNull();
        var rootfs = store.lease("", second).orElseThrow();
        var layer = store.layers().resolve(rootfs.layers().getFirst());
        assertThat(store.remove("", second)).isTrue();
        store.prune(PrunePolicy.UNREFERENCED);
        assertThat(layer).exists();
        rootfs.close();
        rootfs.close();
        for (var tries = 0; tries < 500 && Files.exists(layer); tries++) {
            java.util.concurrent.TimeUnit.MILLISECONDS.sleep(10);
        }
        assertThat(layer).doesNotExist();
        store.prune(PrunePolicy.UNREFERENCED);
        assertThat(store.usage().bytes()).isZero();
    }

    @Test
    void prunesByAgeAndSizeButKeepsSharedLayers() throws Exception {
        var base = TestImages.tar()
                .file("base", TestImages.noise(1, 1 << 20), 0644)
                .bytes();
        var one = published("one:1", TestImages.config("1"), List.of(base, noiseLayer(2)));
        var two = published("two:1", TestImages.config("2"), List.of(base, noiseLayer(3)));
        store.pull("", one, PullPolicy.MISSING, null, _ -> {});
        store.pull("", two, PullPolicy.MISSING, null, _ -> {});
        assertThat(store.prune(PrunePolicy.UNREFERENCED).images()).isEmpty();
        assertThat(store.prune(new PrunePolicy(java.time.Duration.ofHours(1), null))
                        .images())
                .isEmpty();
        var pruned = store.prune(new PrunePolicy(null, store.usage().bytes() - 1));
        assertThat(pruned.images()).containsExactly(one);
        assertThat(pruned.layers()).isEqualTo(1);
        assertThat(pruned.freedBytes()).isGreaterThan(2 << 20);
        try (var rootfs = store.lease("", two).orElseThrow()) {
            assertThat(store.layers().resolve(rootfs.layers().getLast()).resolve("base"))
                    .exists();
            assertThat(store.prune(new PrunePolicy(java.time.Duration.ZERO, null))
                            .images())
                    .isEmpty();
        }
        assertThat(store.prune(new PrunePolicy(java.time.Duration.ZERO, null)).images())
                .containsExactly(two);
    }

    @Test
    void pruneNeverTakesWhatIsBeingLeasedOrPulled() throws Exception {
        var references = new ArrayList<ImageReference>();
        for (var number = 0; number < 3; number++) {
            references.add(
                    published("racer" + number, TestImages.config("r"), List.of(noiseLayer(7), noiseLayer(number))));
        }
        var end = System.nanoTime() + 5_000_000_000L;
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var pruner = threads.submit(() -> {
                while (System.nanoTime() < end) {
                    store.prune(new PrunePolicy(java.time.Duration.ZERO, null));
                }
            });
            var users = new ArrayList<Future<Integer>>();
            for (var reference : references) {
                users.add(threads.submit(() -> {
                    var leased = 0;
                    while (System.nanoTime() < end) {
                        store.pull("", reference, PullPolicy.MISSING, null, _ -> {});
                        var lease = store.lease("", reference);
                        if (lease.isPresent()) {
                            try (var rootfs = lease.get()) {
                                for (var layer : rootfs.layers()) {
                                    assertThat(store.layers().resolve(layer).resolve("noise"))
                                            .exists();
                                    java.util.concurrent.locks.LockSupport.parkNanos(1_000);
                                }
                                leased++;
                            }
                        }
                    }
                    return leased;
                }));
            }
            var leases = 0;
            for (var user : users) {
                leases += user.get();
            }
            pruner.get();
            assertThat(leases).isPositive();
        }
        store.prune(new PrunePolicy(java.time.Duration.ZERO, null));
        assertThat(store.usage().bytes()).isZero();
    }

    @Test
    void aPullEndsWithTheLastWhoWaits() throws Exception {
        var reference = published(
                "big:1",
                TestImages.config("x"),
                List.of(TestImages.tar()
                        .file("noise", TestImages.noise(9, 40 << 20), 0644)
                        .bytes()));
        var begun = new java.util.concurrent.CountDownLatch(1);
        var waiter = Thread.ofVirtual()
                .start(() -> store.pull("", reference, PullPolicy.MISSING, null, event -> {
                    if (event instanceof PullProgress.LayerProgress) {
                        begun.countDown();
                    }
                }));
        begun.await();
        waiter.interrupt();
        waiter.join();
        assertThat(store.find("", reference)).isEmpty();
        assertThat(store.pull("", reference, PullPolicy.MISSING, null, _ -> {}).problem())
                .isNull();
    }

    @Test
    void pushesWhatSkopeoReads() throws Exception {
        var image = store.commit(
                "",
                new ImageReference("made"),
                null,
                new ImageConfig(Map.of("A", "b"), List.of("/e"), List.of("c"), "app", "/srv"),
                List.of(TestImages.stream(TestImages.busybox())));
        store.push("", new ImageReference("made"), registry.reference("made:1"), null, _ -> {});
        TestRegistry.skopeo("docker://" + registry.host() + "/made:1", "oci:" + directory.resolve("out") + ":x");
        TestRegistry.run(
                "umoci",
                "unpack",
                "--image",
                directory.resolve("out") + ":x",
                directory.resolve("bundle").toString());
        assertThat(directory.resolve("bundle/rootfs/bin/busybox")).hasSameBinaryContentAs(Path.of("/bin/busybox"));
        var pulled = store.pull("", registry.reference("made:1"), PullPolicy.ALWAYS, null, _ -> {});
        assertThat(pulled.digest()).isEqualTo(image.digest());
    }

    @Test
    void keepsTheIndexThroughWhichItWasFound() throws Exception {
        var single = store.pull(
                "", published("app:1", TestImages.config("x"), threeLayers()), PullPolicy.MISSING, null, _ -> {});
        var manifest = store.manifest("", null, "app", "1").orElseThrow().descriptor();
        var index = new ImageIndex(
                        MediaTypes.OCI_INDEX,
                        List.of(on(manifest, Platform.ofThisMachine()), on(manifest, Platform.parse("linux/s390x"))),
                        Map.of())
                .bytes();
        put("app/manifests/many", MediaTypes.OCI_INDEX, index);

        var image = store.pull("", registry.reference("app:many"), PullPolicy.MISSING, null, _ -> {});
        store.close();
        store = reopened();

        assertThat(image.digest()).isEqualTo(single.digest());
        var served =
                store.manifest("", null, "app", Digest.sha256(index).text()).orElseThrow();
        assertThat(served.bytes()).isEqualTo(index);
        assertThat(served.descriptor().mediaType()).isEqualTo(MediaTypes.OCI_INDEX);
        assertThat(store.prune(PrunePolicy.UNREFERENCED).blobs()).isZero();

        var pushed = store.push("", registry.reference("app:many"), registry.reference("copy:1"), null, _ -> {});
        assertThat(pushed).isEqualTo(new Pushed(image.digest(), Platform.ofThisMachine(), 2));
        var copy = "docker://" + registry.reference("copy:1");
        assertThat(TestRegistry.run("skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}", copy))
                .isEqualTo(image.digest() + "\n");
    }

    private static Descriptor on(Descriptor manifest, Platform platform) {
        return new Descriptor(manifest.mediaType(), manifest.digest(), manifest.size(), platform, Map.of(), List.of());
    }

    private void put(String path, String type, byte[] body) throws Exception {
        try (var client = HttpClient.newHttpClient()) {
            var request = HttpRequest.newBuilder(URI.create("http://" + registry.host() + "/v2/" + path))
                    .header("Content-Type", type)
                    .PUT(HttpRequest.BodyPublishers.ofByteArray(body))
                    .build();
            assertThat(client.send(request, HttpResponse.BodyHandlers.ofString())
                            .statusCode())
                    .isEqualTo(201);
        }
    }

    @Test
    void loadsWhatSkopeoWritesAndSavesWhatItReads() throws Exception {
        var layout = directory.resolve("layout");
        var digest = TestImages.layout(layout, "x", TestImages.config("c"), threeLayers());
        for (var kind : List.of("oci-archive", "docker-archive")) {
            var file = directory.resolve(kind + ".tar");
            TestRegistry.skopeo("oci:" + layout + ":x", kind + ":" + file + ":docker.io/team/" + kind + ":1");
            try (var in = Files.newInputStream(file)) {
                var loaded = store.load("", in);
                assertThat(loaded)
                        .extracting(image -> image.reference().canonical())
                        .containsExactly("docker.io/team/" + kind + ":1");
                assertThat(loaded.getFirst().config().command()).containsExactly("c");
            }
            store.lease("", new ImageReference("team/" + kind + ":1"))
                    .orElseThrow()
                    .close();
        }
        assertThat(store.find("", new ImageReference("team/oci-archive:1"))
                        .orElseThrow()
                        .digest())
                .isEqualTo(digest);
        for (var format : List.of(ArchiveFormat.OCI, ArchiveFormat.DOCKER)) {
            var file = directory.resolve("saved-" + format + ".tar");
            try (var out = Files.newOutputStream(file)) {
                store.save("", List.of(new ImageReference("team/oci-archive:1")), format, out);
            }
            var kind = format == ArchiveFormat.OCI ? "oci-archive:" : "docker-archive:";
            TestRegistry.skopeo(kind + file, "oci:" + directory.resolve("read-" + format) + ":x");
        }
    }

    private ImageStore reopened() {
        return ImageStore.open(directory.resolve("store"), StoreConfig.DEFAULT, meters);
    }

    /// Layers of which the topmost has a hard link to a file below it.
    private static List<byte[]> threeLayers() {
        return List.of(
                TestImages.tar().file("shared", "lowest").directory("d", 0700).bytes(),
                TestImages.tar().hardLink("d/below", "shared").bytes(),
                TestImages.tar().file("top", "top").hardLink("linked", "top").bytes());
    }

    private static byte[] noiseLayer(long seed) {
        return TestImages.tar()
                .file("noise", TestImages.noise(seed, 1 << 20), 0644)
                .bytes();
    }

    private ImageReference published(String name, ImageConfig config, List<byte[]> layers) throws Exception {
        var layout = directory.resolve("layout-" + name.replace(':', '-'));
        TestImages.layout(layout, "x", config, layers);
        TestRegistry.skopeo("oci:" + layout + ":x", "docker://" + registry.host() + "/" + name);
        return registry.reference(name);
    }

    /// The hex digest of the lowest layer.
    private String layerOf(ImageReference reference) {
        try {
            var manifest = store.manifest(
                            "", null, reference.path(), reference.tag().orElseThrow())
                    .orElseThrow();
            return dev.bobbin.image.ImageManifest.parse(
                            manifest.bytes(), manifest.descriptor().mediaType())
                    .layers()
                    .getFirst()
                    .digest()
                    .hex();
        } catch (RuntimeException e) {
            throw new AssertionError(e);
        }
    }

    private Path blobOf(String hex) throws IOException {
        return directory.resolve("store/blobs/sha256").resolve(hex);
    }
}
