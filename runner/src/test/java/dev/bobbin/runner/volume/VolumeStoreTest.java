package dev.bobbin.runner.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.Volume;
import dev.bobbin.runner.quota.Projects;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VolumeStoreTest {
    @TempDir
    private Path directory;

    private VolumeStore volumes;

    @BeforeEach
    void open() throws Exception {
        volumes = VolumeStore.open(directory, Projects.open(directory, directory));
    }

    private Volume create(String tenant, String name) {
        return volumes.create(tenant, name, Map.of("a", "ü\n\""), 0).orElseThrow();
    }

    private List<String> onDisk() throws Exception {
        volumes.awaitTrash(Duration.ofSeconds(10));
        try (var entries = Files.list(directory)) {
            return entries.map(entry -> entry.getFileName().toString())
                    .filter(name -> !name.equals(".trash"))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void findsVolumesAgain() throws Exception {
        var first = create("blue", "data");
        var second = create("blue", "more");
        create("red", "data");
        volumes = VolumeStore.open(directory, Projects.open(directory, directory));
        assertThat(volumes.list("blue")).containsExactlyInAnyOrder(first, second); // of one millisecond
        assertThat(volumes.find("blue", "data")).contains(first);
        assertThat(volumes.find("blue", first.id().toString())).contains(first);
        assertThat(volumes.find("red", first.id().toString())).isEmpty();
        assertThat(volumes.find("red", "more")).isEmpty();
    }

    @Test
    void refusesANameTwiceForOneTenant() {
        create("blue", "data");
        assertThat(volumes.create("blue", "data", Map.of(), 0)).isEmpty();
        for (var name :
                List.of("", "-a", "a/b", "..", "a".repeat(65), SandboxId.next().toString())) {
            assertThatThrownBy(() -> volumes.create("blue", name, Map.of(), 0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("name: ");
        }
    }

    @Test
    void removesOnlyWhatNobodyUses() throws Exception {
        var made = volumes.use("blue", "data", "job 1");
        assertThat(volumes.use("blue", "data", "sandbox 2")).isEqualTo(made);
        assertThat(volumes.users(made)).containsExactly("job 1", "sandbox 2");
        assertThat(volumes.remove(made).orElseThrow().detail()).contains("job 1 and 1 more");
        volumes.release("job 1");
        assertThat(volumes.remove(made).orElseThrow().reason()).isEqualTo(Refusal.Reason.VOLUME_IN_USE);
        volumes.release("sandbox 2");
        assertThat(volumes.remove(made)).isEmpty();
        assertThat(volumes.remove(made).orElseThrow().reason()).isEqualTo(Refusal.Reason.NO_SUCH_VOLUME);
        assertThat(onDisk()).isEmpty();
    }

    @Test
    void whatIsMadeForAUserHasItsSizeAndThatUser() {
        var made = volumes.use("blue", "data", Volume.LEAST_BYTES, "build 1");
        assertThat(made.bytes()).isEqualTo(Volume.LEAST_BYTES);
        assertThat(volumes.use("blue", "data", "build 1")).isEqualTo(made);
        assertThat(volumes.remove(made)).isPresent();
        volumes.release("build 1");
        assertThat(volumes.remove(made)).isEmpty();
    }

    @Test
    void knowsAgainWhoOutlivedAServer() throws Exception {
        var made = volumes.use("blue", "data", "sandbox 1");
        volumes = VolumeStore.open(directory, Projects.open(directory, directory));
        volumes.keep("blue", List.of("data", "absent"), "sandbox 1");
        assertThat(volumes.remove(made)).isPresent();
        assertThat(volumes.list("blue")).containsExactly(made);
    }

    /// Each state in which a server that is killed can leave the directory.
    @Test
    void leavesNothingOfAServerThatWasKilled() throws Exception {
        var kept = create("blue", "data");
        var making = directory.resolve(".making-" + SandboxId.next());
        Files.createDirectory(making);
        var halfMade = Files.createDirectories(
                directory.resolve(".making-" + SandboxId.next()).resolve("data"));
        Files.writeString(halfMade.resolveSibling("volume.json"), "{\"ver");
        var removed = Files.createDirectories(directory.resolve(".trash/one/data/deep"));
        Files.writeString(removed.resolve("file"), "text");
        volumes = VolumeStore.open(directory, Projects.open(directory, directory));
        assertThat(onDisk()).containsExactly(kept.id().toString());
        assertThat(directory.resolve(".trash")).isEmptyDirectory();
        assertThat(volumes.list("blue")).containsExactly(kept);
    }

    @Test
    void leavesWhatItDoesNotUnderstandAlone() throws Exception {
        var strange = directory.resolve(create("blue", "data").id().toString());
        Files.writeString(strange.resolve("volume.json"), "{\"version\": 2}");
        volumes = VolumeStore.open(directory, Projects.open(directory, directory));
        assertThat(volumes.list("blue")).isEmpty();
        assertThat(strange).isDirectory();
    }

    /// As the first version wrote it.
    @Test
    void readsARecordOfTheFirstVersion() throws Exception {
        var id = "0198f3b0-7c1e-7abc-8def-0123456789ab";
        var place = Files.createDirectories(directory.resolve(id));
        Files.writeString(
                place.resolve("volume.json"),
                "{\"version\": 1, \"id\": \"" + id + "\", \"tenant\": \"blue\", \"name\": \"old\","
                        + " \"labels\": {\"team\": \"x\"}, \"created_millis\": 1756000000000}\n");
        var volume = VolumeStore.open(directory, Projects.open(directory, directory))
                .find("blue", "old")
                .orElseThrow();
        assertThat(volume.labels()).containsExactly(Map.entry("team", "x"));
        assertThat(volume.createdAt().toEpochMilli()).isEqualTo(1756000000000L);
    }
}
