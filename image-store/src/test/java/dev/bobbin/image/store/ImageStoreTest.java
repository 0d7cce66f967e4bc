package dev.bobbin.image.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.image.ImageReference;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

class ImageStoreTest {
    /// Removed by hand: JUnit would warn of each of the hundreds of links that lead out of it.
    @TempDir(cleanup = CleanupMode.NEVER)
    Path directory;

    @AfterEach
    void remove() throws IOException {
        try (var tree = Files.walk(directory)) {
            for (var path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    @Test
    void offersTheMachineItself() throws Exception {
        try (var store = open(true);
                var rootfs = store.lease("", ImageReference.HOST).orElseThrow()) {
            var root = store.layers().resolve(rootfs.layers().getFirst());
            assertThat(rootfs.hostTrees()).isTrue();
            assertThat(store.hostTrees()).contains(Path.of("/usr"));
            assertThat(rootfs.config().environment().getOrDefault("PATH", "").split(":"))
                    .hasSize(6);
            assertThat(rootfs.identity("root").orElseThrow().home()).isEqualTo("/root");
            assertThat(rootfs.identity("nobody").orElseThrow().uid()).isEqualTo(65534);
            assertThat(Files.getPosixFilePermissions(root)).isEqualTo(PosixFilePermissions.fromString("rwxr-xr-x"));
            assertThat((int) Files.getAttribute(root.resolve("tmp"), "unix:mode") & 07777)
                    .isEqualTo(01777);
        }
    }

    @Test
    void tellsNothingOfTheMachineThatIsNotForEverybody() throws Exception {
        try (var store = open(true);
                var rootfs = store.lease("", ImageReference.HOST).orElseThrow()) {
            var etc = store.layers().resolve(rootfs.layers().getFirst()).resolve("etc");
            assertThat(etc.resolve("shadow")).doesNotExist();
            assertThat(etc.resolve("passwd")).content().contains("root:x:0:0").doesNotContain("sshd");
            assertThat(etc.resolve("ssl/private")).doesNotExist();
            assertThat(Files.exists(etc.resolve("alternatives"), LinkOption.NOFOLLOW_LINKS))
                    .isTrue();
        }
    }

    @Test
    void usesTheLayerOfAnEarlierServerAgain() throws Exception {
        open(true).close();
        var before = layers();
        open(true).close();
        assertThat(before).hasSize(1);
        assertThat(layers()).isEqualTo(before);
    }

    @Test
    void removesTheLayersOfAnEarlierServerThatNobodyHolds() throws Exception {
        open(true).close();
        var old = Files.createDirectory(directory.resolve("layers/host-old"));
        try (var store = open(true)) {
            assertThat(old).exists();
            store.settled();
            assertThat(layers()).hasSize(1).doesNotContain("host-old");
        }
    }

    @Test
    void keepsTheLayerOfAJobThatOutlivedItsServer() throws Exception {
        open(true).close();
        Files.createDirectories(directory.resolve("layers/host-old/etc"));
        try (var store = open(true)) {
            var held = store.hold(List.of("host-old"));
            store.settled();
            assertThat(layers()).hasSize(2).contains("host-old");
            assertThat(store.layers().resolve("host-old/etc")).exists();
            held.close();
            assertThat(layers()).hasSize(1).doesNotContain("host-old");
        }
    }

    private List<String> layers() throws IOException {
        try (var layers = Files.list(directory.resolve("layers"))) {
            return layers.map(layer -> layer.getFileName().toString()).toList();
        }
    }

    @Test
    void leavesTheLayersOfARunningServerAlone() {
        try (var store = open(true);
                var rootfs = store.lease("", ImageReference.HOST).orElseThrow()) {
            assertThatThrownBy(() -> open(true))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("in use by another Bobbin");
            assertThat(store.layers().resolve(rootfs.layers().getFirst())).exists();
        }
    }

    @Test
    void hasNoHostImageWhereItIsOff() {
        try (var store = open(false)) {
            assertThat(store.lease("", ImageReference.HOST)).isEmpty();
            assertThat(store.hostTrees()).isEmpty();
        }
    }

    @Test
    void hasNothingElseAtFirst() {
        try (var store = open(true)) {
            assertThat(store.lease("", new ImageReference("busybox:1.36"))).isEmpty();
        }
    }

    private ImageStore open(boolean hostImage) {
        return ImageStore.open(directory, StoreConfig.DEFAULT.withHostImage(hostImage), new SimpleMeterRegistry());
    }
}
