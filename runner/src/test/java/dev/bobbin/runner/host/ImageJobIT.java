package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.TestImages;
import dev.bobbin.image.store.PrunePolicy;
import dev.bobbin.runner.Refusal;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/// Jobs on images of the store: what an image says of its programs is honoured.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(60)
class ImageJobIT {
    private static final PrunePolicy ALL = new PrunePolicy(Duration.ZERO, null);

    private TestHost host;

    @BeforeAll
    void open() throws Exception {
        host = TestHost.open(2);
        image(
                "app",
                new ImageConfig(
                        Map.of("GREETING", "hello"),
                        List.of("/bin/sh", "-c"),
                        List.of("echo default"),
                        "app",
                        "/srv/x"),
                TestImages.busybox());
        image(
                "scratch",
                TestImages.config("/busybox", "true"),
                TestImages.tar()
                        .file("busybox", Files.readAllBytes(Path.of("/bin/busybox")), 0755)
                        .bytes());
    }

    @AfterAll
    void close() throws Exception {
        host.images().prune(ALL);
        host.close();
    }

    @Test
    void runsWhatTheImageSays() throws Exception {
        var result = host.request().image("app").run();
        assertThat(result.stderr()).isEmpty();
        assertThat(result.stdout()).isEqualTo("default\n");
    }

    @Test
    void honoursEnvironmentUserAndWorkingDirectory() throws Exception {
        var result = host.request("sh", "-c", "echo $GREETING $HOME; pwd; id -u; id -g; id -G")
                .image("app")
                .run();
        assertThat(result.stderr()).isEmpty();
        assertThat(result.stdout()).isEqualTo("hello /home/app\n/srv/x\n1000\n1001\n1001 2000\n");
    }

    @Test
    void theJobsOwnValuesComeFirst() throws Exception {
        var result = host.request("sh", "-c", "echo $GREETING; pwd; id -u")
                .image("app")
                .env("GREETING", "mine")
                .workdir("/tmp")
                .user("root")
                .run();
        assertThat(result.stdout()).isEqualTo("mine\n/tmp\n0\n");
    }

    @Test
    void keepsOwnersOfFilesAndLetsThemWrite() throws Exception {
        var result = host.request("sh", "-c", "stat -c '%u:%g' /home/app /bin/busybox; touch /home/app/x && echo ok")
                .image("app")
                .run();
        assertThat(result.stdout()).isEqualTo("1000:1001\n0:0\nok\n");
    }

    @Test
    void runsAnImageOfOneFile() throws Exception {
        var result = host.request(
                        "/busybox", "sh", "-c", "/busybox id -u; /busybox ls /proc/self/fd >/dev/null && echo proc")
                .image("scratch")
                .run();
        assertThat(result.stderr()).isEmpty();
        assertThat(result.stdout()).isEqualTo("0\nproc\n");
        assertThat(host.request().image("scratch").run().exitCode()).isZero();
    }

    @Test
    void upperLayersHideWhatIsBelow() throws Exception {
        image(
                "stacked",
                TestImages.config("sh"),
                TestImages.busybox(),
                TestImages.tar()
                        .file("d/one", "1")
                        .file("d/two", "2")
                        .file("e/gone", "x")
                        .bytes(),
                TestImages.tar()
                        .file("d/.wh.one", "")
                        .file("e/.wh..wh..opq", "")
                        .file("e/new", "n")
                        .hardLink("d/linked", "d/two")
                        .bytes());
        var result = host.request("sh", "-c", "ls d e; cat d/linked")
                .image("stacked")
                .workdir("/")
                .run();
        assertThat(result.stdout()).isEqualTo("d:\nlinked\ntwo\n\ne:\nnew\n2");
    }

    @Test
    void refusesUsersAndImagesThatAreNotThere() throws Exception {
        assertThat(host.request("true").image("app").user("ghost").refusal().reason())
                .isEqualTo(Refusal.Reason.NO_SUCH_USER);
        assertThat(host.request("true").image("absent").refusal().reason()).isEqualTo(Refusal.Reason.NO_SUCH_IMAGE);
    }

    @Test
    void aRunningJobKeepsItsImageAlsoOverARestart() throws Exception {
        image(
                "kept",
                TestImages.config("sh"),
                TestImages.busybox(),
                TestImages.tar().file("late", "still here").bytes());
        var execution = host.request("sh", "-c", "while [ ! -e /go ]; do sleep 0.1; done; cat /late")
                .image("kept")
                .file("go-not", "", 0644)
                .onDisconnect(dev.bobbin.runner.Job.OnDisconnect.CONTINUE)
                .start();
        var id = execution.id();
        assertThat(host.images().remove("", new ImageReference("kept"))).isTrue();
        host.images().prune(PrunePolicy.UNREFERENCED);
        host.restart();
        host.images().prune(PrunePolicy.UNREFERENCED);
        var pid = host.pidOne(host.runtime().recovered().stream()
                .filter(one -> one.id().equals(id))
                .findFirst()
                .orElseThrow());
        Files.writeString(Path.of("/proc/" + pid + "/root/go"), "");
        var found = host.runtime().recovered().stream()
                .filter(one -> one.id().equals(id))
                .findFirst()
                .orElseThrow();
        assertThat(TestHost.Result.of(found).stdout()).isEqualTo("still here");
    }

    private void image(String name, ImageConfig config, byte[]... layers) {
        var streams = new ArrayList<InputStream>();
        for (var layer : layers) {
            streams.add(TestImages.stream(layer));
        }
        host.images().commit("", new ImageReference(name), null, config, streams);
    }
}
