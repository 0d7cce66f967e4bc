package dev.bobbin.image.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.PullProgress;
import dev.bobbin.image.TestImages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A pull over a slow network whose process is killed, or whose disk fills up, while the layers come. Needs root,
/// docker-registry and skopeo.
@Timeout(180)
class PullFaultsIT {
    private static final int LAYER = 2 << 20;

    @TempDir
    Path directory;

    private TestRegistry registry;
    private SlowPath slow;

    @BeforeEach
    void publish() throws Exception {
        registry = TestRegistry.start(directory.resolve("registry"));
        slow = new SlowPath(Integer.parseInt(registry.host().replaceFirst(".*:", "")), 4 << 20);
        var layers = new ArrayList<byte[]>();
        for (var number = 0; number < 4; number++) {
            layers.add(TestImages.tar()
                    .file("etc/part" + number, "of " + number)
                    .file("noise" + number, TestImages.noise(number, LAYER), 0644)
                    .bytes());
        }
        TestImages.layout(directory.resolve("layout"), "x", TestImages.config("c"), layers);
        TestRegistry.skopeo("oci:" + directory.resolve("layout") + ":x", "docker://" + registry.host() + "/big:1");
    }

    @AfterEach
    void close() throws Exception {
        slow.close();
        registry.close();
    }

    @Test
    void outlivesTheKillingOfItsProcess() throws Exception {
        var random = new Random(7);
        var root = directory.resolve("store");
        var interrupted = 0;
        for (var round = 0; round < 4; round++) {
            var process = puller(root);
            assertThat(process.getInputStream().read()).as("layers come").isEqualTo('.');
            TimeUnit.MILLISECONDS.sleep(random.nextInt(600));
            process.destroyForcibly().waitFor();
            FaultsIT.assertNothingAside(root);
            try (var store = FaultsIT.open(root)) {
                interrupted += store.find("", slowly()).isEmpty() ? 1 : 0;
                assertPulls(store, slowly());
                assertThat(store.remove("", slowly())).isTrue();
                assertThat(store.usage().bytes()).isZero();
            }
        }
        assertThat(interrupted).as("kills that met a pull").isPositive();
    }

    @Test
    void saysThatTheDiskIsFullAndGoesOn() throws Exception {
        for (var megabytes : List.of(3, 9, 15)) {
            var root = Files.createDirectories(directory.resolve("disk" + megabytes));
            TestRegistry.run("mount", "-t", "tmpfs", "-o", "size=" + megabytes + "m", "tmpfs", root.toString());
            try (var store = FaultsIT.open(root)) {
                assertDiskFull(store);
                store.prune(PrunePolicy.UNREFERENCED);
                assertThat(store.usage().bytes()).isZero();
                for (var tries = 0; tries < 500 && !isEmpty(root.resolve("aside")); tries++) {
                    TimeUnit.MILLISECONDS.sleep(10);
                }
                assertThat(root.resolve("aside")).isEmptyDirectory();
                TestRegistry.run("mount", "-o", "remount,size=64m", root.toString());
                assertPulls(store, slowly());
            } finally {
                TestRegistry.run("umount", "-l", root.toString());
            }
        }
    }

    private void assertDiskFull(ImageStore store) {
        try {
            store.pull("", slowly(), PullPolicy.ALWAYS, null, _ -> {});
            throw new AssertionError("there is room for all of it");
        } catch (ImageException e) {
            assertThat(e.problem()).as(e.toString()).isEqualTo(ImageProblem.DISK_FULL);
        }
        assertThat(store.list("")).isEmpty();
    }

    private static void assertPulls(ImageStore store, ImageReference reference) throws IOException {
        assertThat(store.pull("", reference, PullPolicy.MISSING, null, _ -> {}).problem())
                .isNull();
        try (var rootfs = store.lease("", reference).orElseThrow()) {
            for (var number = 0; number < 4; number++) {
                var layer = store.layers().resolve(rootfs.layers().get(3 - number));
                assertThat(layer.resolve("etc/part" + number)).hasContent("of " + number);
                assertThat(Files.size(layer.resolve("noise" + number))).isEqualTo(LAYER);
            }
        }
    }

    private ImageReference slowly() {
        return new ImageReference("127.0.0.1:" + slow.port() + "/big:1");
    }

    private static boolean isEmpty(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            return files.findAny().isEmpty();
        }
    }

    private Process puller(Path root) throws IOException {
        return new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path", ""),
                        PullFaultsIT.class.getName(),
                        root.toString(),
                        slowly().text())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    /// Pulls; writes a dot whenever it hears that bytes have come.
    public static void main(String[] arguments) {
        try (var store = FaultsIT.open(Path.of(arguments[0]))) {
            store.pull("", new ImageReference(arguments[1]), PullPolicy.ALWAYS, null, event -> {
                if (event instanceof PullProgress.LayerProgress) {
                    System.out.print('.');
                    System.out.flush();
                }
            });
        }
    }
}
