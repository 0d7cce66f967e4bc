package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.image.Digest;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.RequestKey;
import dev.bobbin.runner.RequestKey.Use;
import dev.bobbin.runner.SandboxId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class UsedKeysTest {
    @TempDir
    Path directory = Path.of("");

    private UsedKeys open() throws IOException {
        return new UsedKeys(directory.resolve("keys"));
    }

    private static RequestKey key(String word) {
        return RequestKey.of("tenant", word, Digest.sha256("body"));
    }

    private static Use job(String word, Instant at) {
        return new Use.ByJob(key(word), "tenant", at.truncatedTo(ChronoUnit.MILLIS), JobId.next());
    }

    @Test
    void findsTheUseOfAWordWhateverIsAskedWithIt() throws IOException {
        try (var keys = open()) {
            var use = job("a", Instant.now());
            keys.add(use);

            assertThat(keys.find(RequestKey.of("tenant", "a", Digest.sha256("another body"))))
                    .contains(use);
            assertThat(keys.find(key("b"))).isEmpty();
            assertThat(keys.find(RequestKey.of("other", "a", Digest.sha256("body"))))
                    .isEmpty();
        }
    }

    @Test
    void forgetsWhatWasNotBegunAfterAll() throws IOException {
        try (var keys = open()) {
            var use = job("a", Instant.now());
            keys.add(use);
            keys.remove(job("a", Instant.now()));
            assertThat(keys.find(key("a"))).contains(use);

            keys.remove(use);

            assertThat(keys.find(key("a"))).isEmpty();
        }
    }

    @Test
    void forgetsAKeyAfterADay() throws IOException {
        try (var keys = open()) {
            var now = Instant.now();
            keys.add(job("old", now.minus(RequestKey.KEPT).minusSeconds(1)));
            var young = job("young", now.minus(RequestKey.KEPT).plusSeconds(60));
            keys.add(young);

            assertThat(keys.find(key("old"))).isEmpty();
            assertThat(keys.find(key("young"))).contains(young);
        }
    }

    @Test
    void keepsTheLaterOfTwoUsesInWhateverOrderTheyAreFound() throws IOException {
        try (var keys = open()) {
            var later = job("a", Instant.now());
            keys.add(later);
            keys.add(job("a", Instant.now().minusSeconds(60)));

            assertThat(keys.find(key("a"))).contains(later);
        }
    }

    @Test
    void keepsOverARestartWhatOutlivedItsJobOrSandboxAndNothingElse() throws IOException {
        var gone = job("gone", Instant.now());
        var removed = new Use.BySandbox(
                key("removed"), "tenant", Instant.now().truncatedTo(ChronoUnit.MILLIS), SandboxId.next());
        try (var keys = open()) {
            keys.add(gone);
            keys.add(removed);
            keys.add(job("there", Instant.now()));
            keys.outlives(gone);
            keys.outlives(removed);
            keys.outlives(job("nobody's", Instant.now()));
        }
        try (var keys = open()) {
            assertThat(keys.find(key("gone"))).contains(gone);
            assertThat(keys.find(key("removed"))).contains(removed);
            assertThat(keys.find(key("there"))).isEmpty();
            assertThat(keys.find(key("nobody's"))).isEmpty();
        }
    }

    @Test
    void passesOverALineThatWasNotWrittenWhole() throws IOException {
        var gone = job("gone", Instant.now());
        try (var keys = open()) {
            keys.add(gone);
            keys.outlives(gone);
        }
        var file = directory.resolve("keys");
        var whole = Files.readString(file);
        Files.writeString(file, whole + whole.lines().toList().getLast().substring(0, 150));
        try (var keys = open()) {
            assertThat(keys.find(key("gone"))).contains(gone);
            assertThat(Files.readString(file)).isEqualTo(whole);
        }
    }

    @Test
    void refusesAFileOfANewerVersionByItsName() throws IOException {
        Files.writeString(directory.resolve("keys"), "bobbin-keys 3\n");
        assertThatThrownBy(this::open).isInstanceOf(IOException.class).hasMessageContaining("bobbin-keys 2");
    }

    @Test
    void forgetsTheOldestOfTheTenantThatHasMost() throws IOException {
        try (var keys = new UsedKeys(directory.resolve("keys"), 3)) {
            var quiet = RequestKey.of("quiet", "a", Digest.sha256("body"));
            var only = new Use.ByJob(quiet, "quiet", Instant.now(), JobId.next());
            keys.add(only);
            for (var word : List.of("a", "b", "c", "d")) {
                keys.add(job(word, Instant.now()));
            }

            assertThat(keys.find(quiet)).contains(only);
            assertThat(keys.find(key("a"))).isEmpty();
            assertThat(keys.find(key("b"))).isEmpty();
            assertThat(keys.find(key("c"))).isPresent();
            assertThat(keys.find(key("d"))).isPresent();
        }
    }

    @Test
    void readsAFileThatDoesNotSayWhoseAKeyIs() throws IOException {
        var gone = job("gone", Instant.now());
        try (var keys = open()) {
            keys.add(gone);
            keys.outlives(gone);
        }
        var file = directory.resolve("keys");
        Files.writeString(
                file, Files.readString(file).replace("keys 2", "keys 1").replace(" tenant\n", "\n"));
        try (var keys = open()) {
            assertThat(keys.find(key("gone")).map(Use::key)).contains(gone.key());
        }
    }
}
