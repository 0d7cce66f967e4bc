package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.OtherTools;
import dev.bobbin.image.store.PrunePolicy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/// Jobs in images that other tools made.
@Timeout(300)
class OtherToolsJobIT {
    @TempDir
    Path temp;

    private TestHost host;

    @BeforeEach
    void open() throws Exception {
        host = TestHost.open(1);
    }

    @AfterEach
    void close() throws Exception {
        host.images().prune(new PrunePolicy(Duration.ZERO, null));
        host.close();
    }

    @Test
    void runsInAnImageOfBuildah() throws Exception {
        var image = load(OtherTools.buildah(temp, "oci-archive"));

        assertThat(host.request().image(image).run().stdout()).isEqualTo("built\n");
        var result = host.request(
                        "/bin/sh",
                        "-c",
                        "busybox id -u; busybox stat -c '%a %u:%g %h' /d/setuid; busybox cat /run/pid;"
                                + " cd /var/run/app; busybox pwd -P; busybox test -e /d/away || echo gone")
                .image(image)
                .user("root")
                .run();
        assertThat(result.stderr()).isEmpty();
        assertThat(result.stdout()).isEqualTo("0\n6755 1000:1001 3\n7\n/run/app\ngone\n");
    }

    @Test
    @EnabledIfSystemProperty(named = "bobbin.test.debian", matches = "true")
    void runsInADebian() throws Exception {
        var image = load(OtherTools.debian(temp));

        var result = host.request(
                        "bash",
                        "-ec",
                        "id -un; dpkg-query -f '${Package} ${Status}\\n' -W bash; perl -e 'print 6 * 7, \"\\n\"';"
                                + " dpkg --verify; apt-get --version | head -1; echo x > /var/run/x; cat /run/x")
                .image(image)
                .run();
        assertThat(result.stderr()).isEmpty();
        assertThat(result.stdout())
                .startsWith("root\nbash install ok installed\n42\napt ")
                .endsWith(")\nx\n");
    }

    private String load(OtherTools.Made made) throws Exception {
        try (var archive = Files.newInputStream(made.archive())) {
            return host.images().load("", archive).getFirst().reference().text();
        }
    }
}
