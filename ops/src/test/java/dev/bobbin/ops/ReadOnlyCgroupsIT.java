package dev.bobbin.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A server that sees the cgroup v1 hierarchies read-only, as in many containers; in a mount namespace of its own.
@Timeout(120)
final class ReadOnlyCgroupsIT extends RootTests {
    private static final String SEAL = """
            mount --make-rprivate /
            for each in $(awk '$3 == "cgroup" { print $2 }' /proc/mounts); do
                mount --bind $each $each && mount -o remount,ro,bind $each || exit 1
            done
            exec "$@"
            """;

    @BeforeEach
    void prepare() throws IOException {
        var hierarchies = Files.readAllLines(Path.of("/proc/mounts")).stream()
                .filter(line -> line.contains(" cgroup "))
                .filter(line -> line.contains("memory") || line.contains("pids"))
                .toList();
        assumeTrue(!hierarchies.isEmpty(), "no memory or pids in cgroup v1 here");
    }

    private List<String> sealed(String... settings) throws IOException {
        var command = new ArrayList<>(List.of("unshare", "--mount", "sh", "-c", SEAL, "sh"));
        command.addAll(RealServer.command(directory, settings));
        return command;
    }

    @Test
    void areRefusedWithWhatCannotBeKept() throws Exception {
        var server = new ProcessBuilder(sealed()).redirectErrorStream(true).start();
        var said = new String(server.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(server.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(server.exitValue()).isNotZero();
        assertThat(said).contains("cannot keep limits of cpus, memory, pids", "host.allow-unenforced-limits: on");
    }

    @Test
    void areDoneWithoutWhereThatIsAllowed() throws Exception {
        var config = Files.writeString(
                directory.resolve("bobbin.yaml"), "host:\n  allow-unenforced-limits: on\n  pool: 2\n");
        try (var server = RealServer.start(directory, sealed("--config", config.toString()))) {
            assertThat(server.run("{\"command\":[\"echo\",\"here\"],\"limits\":{\"cpus\":0.5}}"))
                    .contains("\"stdout\":\"here\\n\"", "\"cause\":\"exited\"")
                    .containsPattern("\"unenforced_limits\":\\[\"cpus\",\"memory\",\"pids\"");
        }
    }
}
