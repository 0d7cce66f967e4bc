package dev.bobbin.image.archive;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.OtherTools;
import dev.bobbin.image.store.ImageStore;
import dev.bobbin.image.store.StoreConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What other tools packed is unpacked to what they packed, in every metadatum. Needs root.
class OtherToolsIT {
    @TempDir
    Path temp;

    @ParameterizedTest
    @ValueSource(strings = {"oci-archive", "docker-archive"})
    void unpacksWhatBuildahPacked(String kind) throws Exception {
        var census = isTheSame(OtherTools.buildah(temp, kind), 2);

        assertThat(census)
                .contains("d/setuid f 6755 1000:1001 1600000001.0000000000")
                .contains("\nd/null d ", "\nd/pipe p 640 ", "./d/disk 8:12c", "\nvar/run l ", "/run\n", "\nrun/pid f ")
                .contains("user.binary=0xff00010a3d80", "security.capability=0x01000002002100")
                .contains(" = d/hard = d/setuid = d/third\n")
                .doesNotContain("gone", "away", "replaced/old");
    }

    @Test
    @EnabledIfSystemProperty(named = "bobbin.test.debian", matches = "true")
    void unpacksADebianThatUmociPacked() throws Exception {
        var census = isTheSame(OtherTools.debian(temp), 1);

        assertThat(census.lines().count()).isGreaterThan(10_000);
        assertThat(census).contains("usr/bin/passwd f 4755 0:0 ", "user.note=0xff00", "security.capability=0x");
    }

    private String isTheSame(OtherTools.Made made, int layers) throws Exception {
        var config = StoreConfig.DEFAULT.withHostImage(false);
        try (var store = ImageStore.open(temp.resolve("store"), config, new SimpleMeterRegistry());
                var archive = Files.newInputStream(made.archive())) {
            var image = store.load("", archive).getFirst();
            try (var rootfs = store.lease("", image.reference()).orElseThrow()) {
                assertThat(rootfs.layers()).hasSize(layers);
                var unpacked =
                        rootfs.layers().stream().map(store.layers()::resolve).toList();
                var ours = OtherTools.census(unpacked, temp.resolve("ours"));
                var original = OtherTools.census(List.of(made.tree()), temp.resolve("original"));
                assertThat(OtherTools.difference(original, ours)).isEmpty();
                return Files.readString(ours, java.nio.charset.StandardCharsets.ISO_8859_1);
            }
        }
    }
}
