package dev.bobbin.image.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.TestImages;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A store whose process is killed, and whose disk is full, at points of chance.
@Timeout(180)
class FaultsIT {
    private static final ImageReference BIG = new ImageReference("big");
    private static final ImageReference SMALL = new ImageReference("small");

    @TempDir
    Path directory;

    private final List<Path> mounts = new ArrayList<>();

    @AfterEach
    void unmount() throws Exception {
        for (var mount : mounts) {
            TestRegistry.run("umount", "-l", mount.toString());
        }
    }

    @Test
    void outlivesTheKillingOfItsProcess() throws Exception {
        var random = new Random(42);
        var root = directory.resolve("store");
        for (var round = 0; round < 5; round++) {
            var process = maker(root);
            waitForOutput(process);
            TimeUnit.MILLISECONDS.sleep(random.nextInt(400));
            process.destroyForcibly().waitFor();
            try (var store = open(root)) {
                assertThat(store.list(""))
                        .as("round " + round)
                        .allSatisfy(image -> assertThat(image.problem()).isNull());
                for (var image : store.list("")) {
                    try (var rootfs = store.lease("", image.reference()).orElseThrow()) {
                        for (var layer : rootfs.layers()) {
                            assertThat(store.layers().resolve(layer)).isNotEmptyDirectory();
                        }
                    }
                }
                commit(store, BIG, 1, 1 << 20);
                store.lease("", BIG).orElseThrow().close();
                store.prune(new PrunePolicy(java.time.Duration.ZERO, null));
                assertThat(store.usage().bytes()).isZero();
            }
            assertNothingAside(root);
        }
    }

    @Test
    void saysThatTheDiskIsFullAndGoesOn() throws Exception {
        for (var room : List.of(1, 3, 7, 11)) {
            var root = mount(room + 4);
            try (var store = open(root)) {
                commit(store, SMALL, 2, 100_000);
                Files.write(root.resolve("ballast"), new byte[2 << 20]);
                try {
                    commit(store, BIG, 3, 8 << 20);
                    assertThat(room).as("room for all of it").isGreaterThan(9);
                } catch (ImageException e) {
                    assertThat(e.problem()).as(e.toString()).isEqualTo(ImageProblem.DISK_FULL);
                    assertThat(store.find("", BIG)).isEmpty();
                }
                store.lease("", SMALL).orElseThrow().close();
                store.prune(PrunePolicy.UNREFERENCED);
                Files.delete(root.resolve("ballast"));
            }
            assertNothingAside(root);
            try (var store = open(root)) {
                assertThat(store.find("", SMALL).orElseThrow().problem()).isNull();
                commit(store, new ImageReference("after"), 4, 200_000);
            }
        }
    }

    @Test
    void letsOnlyOneProcessIn() throws Exception {
        var root = directory.resolve("store");
        var process = maker(root);
        try {
            waitForOutput(process);
            assertThatThrownBy(() -> open(root)).hasMessageContaining("in use by another Bobbin");
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    @Test
    void refusesAStoreOfANewerVersion() throws Exception {
        var root = directory.resolve("store");
        open(root).close();
        Files.writeString(root.resolve("version"), "2\n");
        assertThatThrownBy(() -> open(root)).hasMessageContaining("version 2");
    }

    /// Makes images for ever; says so on standard output when it has the store.
    public static void main(String[] arguments) {
        try (var store = open(Path.of(arguments[0]))) {
            System.out.println("open");
            for (var number = 0; ; number++) {
                commit(store, new ImageReference("made-" + number % 5), number, 3 << 20);
                store.remove("", new ImageReference("made-" + (number + 2) % 5));
            }
        }
    }

    private static Process maker(Path root) throws IOException {
        var java = ProcessHandle.current().info().command().orElseThrow();
        return new ProcessBuilder(
                        java,
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path", ""),
                        FaultsIT.class.getName(),
                        root.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private static void waitForOutput(Process process) throws IOException {
        assertThat(process.getInputStream().read())
                .as("the process has the store")
                .isEqualTo('o');
    }

    private static void commit(ImageStore store, ImageReference reference, long seed, int bytes) {
        var layer = TestImages.tar()
                .file("noise", TestImages.noise(seed, bytes), 0644)
                .bytes();
        var other =
                TestImages.tar().file("etc/passwd", "root:x:0:0::/:/bin/sh\n").bytes();
        store.commit(
                "",
                reference,
                null,
                TestImages.config("x"),
                List.of(TestImages.stream(other), TestImages.stream(layer)));
    }

    static ImageStore open(Path root) {
        return ImageStore.open(root, StoreConfig.DEFAULT.withHostImage(false), new SimpleMeterRegistry());
    }

    /// What was left aside is removed behind the opening.
    static void assertNothingAside(Path root) throws Exception {
        try (var _ = open(root)) {
            for (var tries = 0; tries < 500 && !aside(root).isEmpty(); tries++) {
                TimeUnit.MILLISECONDS.sleep(10);
            }
            assertThat(aside(root)).isEmpty();
        }
    }

    private static List<Path> aside(Path root) throws IOException {
        try (var aside = Files.list(root.resolve("aside"))) {
            return aside.toList();
        }
    }

    private Path mount(int megabytes) throws Exception {
        var at = Files.createDirectories(directory.resolve("mount-" + mounts.size()));
        TestRegistry.run("mount", "-t", "tmpfs", "-o", "size=" + megabytes + "m", "tmpfs", at.toString());
        mounts.add(at);
        return at;
    }
}
