package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.runner.Mount;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.Volume;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/// Volumes in runs and in sandboxes that last, on a real host.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(60)
class VolumesIT {
    private static final int SIGTERM = 15;
    private static final Duration GRACE = Duration.ofSeconds(5);

    private TestHost host;

    @BeforeAll
    void open() throws Exception {
        host = TestHost.open(2);
    }

    @AfterAll
    void close() throws Exception {
        host.close();
    }

    private static Mount volume(String name, String target) {
        return new Mount.Volume(name, target, false);
    }

    private Volume find(String name) {
        return host.runtime().volumes().find("default", name).orElseThrow();
    }

    private Path files(String name) {
        return host.dataDir()
                .resolve("volumes")
                .resolve(find(name).id().toString())
                .resolve("data");
    }

    @Test
    void keepsWhatARunWritesForTheNext() throws Exception {
        var first = host.request("sh", "-c", "echo kept > /data/file; id -u; ls -ldn /data | cut -d' ' -f3,4")
                .mount(volume("between-runs", "/data"))
                .run();
        assertThat(first.stdout()).as(first.stderr()).isEqualTo("0\n0 0\n");
        var second = host.request("sh", "-c", "cat /srv/deep/er/file; ls -ln /srv/deep/er/file | cut -d' ' -f3,4")
                .mount(volume("between-runs", "/srv/deep/er"))
                .run();
        assertThat(second.stdout()).as(second.stderr()).isEqualTo("kept\n0 0\n");
        assertThat(Files.getAttribute(files("between-runs").resolve("file"), "unix:uid"))
                .isEqualTo(0);
    }

    @Test
    void isSeenByExecsAndFilesOfASandboxThatLasts() throws Exception {
        var sandbox = host.place().mount(volume("lasting", "/data")).create();
        assertThat(host.sh(sandbox, "echo one > /data/one; cat /data/one").stdout())
                .isEqualTo("one\n");
        assertThat(files("lasting").resolve("one")).hasContent("one\n");
        sandbox.stop(SIGTERM, GRACE);
        assertThat(sandbox.files().look("/data/one").size()).isEqualTo(4);
        assertThat(sandbox.start()).isEmpty();
        assertThat(host.sh(sandbox, "cat /data/one").stdout()).isEqualTo("one\n");
        host.restart();
        var again = host.runtime().sandboxes().find(sandbox.id()).orElseThrow();
        assertThat(again.mounts()).isEqualTo(sandbox.mounts());
        assertThat(host.sh(again, "cat /data/one").stdout()).isEqualTo("one\n");
        again.stop(SIGTERM, GRACE);
        again.start();
        assertThat(host.sh(again, "cat /data/one").stdout()).isEqualTo("one\n");
        again.remove();
    }

    @Test
    void isNotRemovedWhileASandboxNamesIt() throws Exception {
        var sandbox = host.place().mount(volume("used", "/data")).create();
        var volume = find("used");
        assertThat(host.runtime().volumes().remove(volume).orElseThrow().reason())
                .isEqualTo(Refusal.Reason.VOLUME_IN_USE);
        sandbox.stop(SIGTERM, GRACE);
        host.restart();
        assertThat(host.runtime().volumes().remove(volume).orElseThrow().detail())
                .contains(sandbox.id().toString());
        host.runtime().sandboxes().find(sandbox.id()).orElseThrow().remove();
        assertThat(host.runtime().volumes().remove(volume)).isEmpty();
        assertThat(host.runtime().volumes().find("default", "used")).isEmpty();
        assertThat(host.dataDir().resolve("volumes").resolve(volume.id().toString()))
                .doesNotExist();
    }
}
