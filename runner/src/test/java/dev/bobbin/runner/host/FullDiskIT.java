package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.image.TestImages;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.build.BuildException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A data directory whose disk runs full while a job prints.
@Timeout(60)
class FullDiskIT {
    /// How many times slower than a real machine an emulated one may be (`src/test/v2`).
    private static final int PATIENCE = Integer.getInteger("bobbin.test.patience", 1);

    private Path disk = Path.of("");

    @BeforeEach
    void mount() throws Exception {
        disk = Files.createTempDirectory("bobbin-disk");
        command("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk.toString());
    }

    @AfterEach
    void unmount() throws Exception {
        command("umount", disk.toString());
        Files.delete(disk);
    }

    @Test
    void saysThatOutputIsLostAndTakesNoMoreJobsUntilThereIsRoom() throws Exception {
        try (var host = TestHost.open(1, disk.resolve("root"))) {
            var ballast = Files.write(disk.resolve("ballast"), new byte[3 << 20]);
            var flood = host.request("head", "-c", "9000000", "/dev/zero")
                    .time(Duration.ofSeconds(PATIENCE))
                    .run();
            assertThat(flood.ending().outcome()).isInstanceOf(Outcome.SandboxError.class);
            assertThat(flood.ending().outcome().toString()).contains("disk is full");
            awaitHealth(host, false);
            assertThat(host.request("true").refusal().reason()).isEqualTo(Refusal.Reason.DEGRADED);
            Files.delete(ballast);
            awaitHealth(host, true);
            assertThat(host.sh("echo again").stdout()).isEqualTo("again\n");
            refusesFilesOfABuildThatTheDiskDoesNotTake(host);
        }
    }

    private static void refusesFilesOfABuildThatTheDiskDoesNotTake(TestHost host) {
        var tar = TestImages.tar().file("f", new byte[9 << 20], 0644).bytes();
        try (var upload = (BuildUpload.Open) host.runtime().builds().upload("full", 0)) {
            assertThatThrownBy(() -> upload.receive(new ByteArrayInputStream(tar)))
                    .isInstanceOfSatisfying(
                            BuildException.class,
                            e -> assertThat(e.problem()).isEqualTo(BuildException.Problem.DISK_FULL));
        }
        assertThat(host.meters.get("bobbin.build.uploads").gauge().value()).isZero();
    }

    private static void awaitHealth(TestHost host, boolean healthy) {
        while (host.runtime().healthy() != healthy) {
            Thread.onSpinWait();
        }
    }

    private static void command(String... words) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder(words).inheritIO().start().waitFor()).isZero();
    }
}
