package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.ArchiveFormat;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.Tools;
import dev.bobbin.image.archive.DockerDaemon;
import dev.bobbin.image.store.PrunePolicy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Images that a build made are taken, and run, by skopeo, podman and docker.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
class BuiltForOthersIT {
    private static final String NAME = "localhost/built:1";

    /* What a second layer does to the first, and what the image says of how it is run. */
    private static final String RECIPE = """
            FROM bb
            RUN mkdir -p /d/gone /d/anew && echo one > /d/one && echo two > /d/two && echo old > /d/anew/old
            COPY --chown=1000:1001 --chmod=640 data /home/data
            RUN rm -r /d/two /d/gone /d/anew && mkdir /d/anew && echo new > /d/anew/new && chmod 750 /d/one
            ENV WHO=me
            WORKDIR /home
            USER 1000:1001
            ENTRYPOINT ["/bin/sh", "-c"]
            CMD ["cat data; echo $WHO; pwd; id -u; id -g; stat -c '%n %a %u:%g' data /d/one; ls -R1 /d"]
            """;

    private static final String TOLD = """
            copied
            me
            /home
            1000
            1001
            data 640 1000:1001
            /d/one 750 0:0
            /d:
            anew
            one

            /d/anew:
            new
            """;

    private Path directory = Path.of("");
    private TestHost host;

    @BeforeAll
    void build(@TempDir Path directory) throws Exception {
        this.directory = directory;
        host = TestHost.open(1);
        new TestBuilds(host)
                .of(NAME, Map.of("Dockerfile", RECIPE, "data", "copied\n"))
                .build()
                .succeeded();
        for (var format : List.of(ArchiveFormat.OCI, ArchiveFormat.DOCKER)) {
            try (var out = Files.newOutputStream(archive(format))) {
                host.images().save(TestBuilds.TENANT, List.of(new ImageReference(NAME)), format, out);
            }
        }
    }

    @AfterAll
    void close() throws Exception {
        host.runtime().builds().prune(Duration.ZERO);
        host.images().prune(new PrunePolicy(Duration.ZERO, null));
        host.close();
    }

    private Path archive(ArchiveFormat format) {
        return directory.resolve(format + ".tar");
    }

    @Test
    void runHere() throws Exception {
        assertThat(host.request().image(NAME).run().stdout()).isEqualTo(TOLD);
    }

    @Test
    void skopeoCopiesThemAndChecksTheirDigests() throws Exception {
        Tools.require("skopeo");
        for (var format : List.of(ArchiveFormat.OCI, ArchiveFormat.DOCKER)) {
            var from =
                    (format == ArchiveFormat.OCI ? "oci-archive:" : "docker-archive:") + archive(format) + ":" + NAME;
            var copy = directory.resolve("copy-" + format);
            Tools.shell("skopeo --insecure-policy copy -q " + from + " dir:" + copy);
            assertThat(Tools.shell("skopeo inspect --config " + from)).contains("\"WHO=me\"", "\"1000:1001\"");
        }
    }

    /// With limits that may be had wherever this runs, and with one kind of cgroups where there are two.
    @Test
    void podmanRunsThem() throws Exception {
        Tools.require("podman");
        var podman =
                "podman --root %1$s/podman --runroot %1$s/podman-run --storage-driver vfs --cgroup-manager cgroupfs"
                                .formatted(directory)
                        + " --events-backend none";
        for (var format : List.of(ArchiveFormat.OCI, ArchiveFormat.DOCKER)) {
            var told = Tools.shell("""
                    unshare -m sh -ec '
                    if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi
                    %1$s load -q -i %2$s > /dev/null
                    %1$s run --rm --network none --log-driver none --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 %3$s
                    %1$s rmi -f %3$s > /dev/null'""".formatted(podman, archive(format), NAME));
            assertThat(told).as(format.toString()).isEqualTo(TOLD);
        }
    }

    @Test
    void dockerRunsThem() throws Exception {
        Tools.require("dockerd", "curl");
        try (var docker = DockerDaemon.start(directory.resolve("docker"))) {
            assertThat(docker.load(archive(ArchiveFormat.DOCKER))).contains("Loaded image: " + NAME);
            assertThat(docker.run(NAME)).isEqualTo(TOLD);
        }
    }
}
