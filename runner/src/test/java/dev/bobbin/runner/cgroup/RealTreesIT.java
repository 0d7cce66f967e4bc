package dev.bobbin.runner.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.bobbin.runner.Limits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The texts for limits against the kernel's own files, whatever this machine mounts.
class RealTreesIT {
    private static final Limits LIMITS = new Limits(64 << 20, 0.5, 100, Duration.ofSeconds(1), 1000, 1 << 20);

    @TempDir
    Path directory;

    @Test
    void everyFileTakesWhatIsWrittenAndSaysWhatIsRead() throws Exception {
        writeAndRead();
    }

    private void writeAndRead() throws Exception {
        var cgroups = Cgroups.open("bobbin-test-" + UUID.randomUUID(), directory.resolve("noted"), List.of());
        try (cgroups) {
            assertThat(cgroups.unenforced()).isEmpty();
            for (var write : cgroups.writes(LIMITS)) {
                var parts = write.split("\n", 3);
                Files.writeString(job(cgroups, parts[0]).resolve(parts[1]), parts[2]);
            }
            for (var read : cgroups.reads(LIMITS)) {
                var parts = read.split("\n", 2);
                assertThat(job(cgroups, parts[0]).resolve(parts[1])).isReadable();
            }
            var usage = cgroups.evidence("job").usage();
            assertThat(usage.oomKills()).isZero();
            assertThat(usage.cpuUserMicros()).isNotNegative();
            cgroups.remove("job");
        }
    }

    @Test
    void sameOnAVersionTwoTree() throws Exception {
        var layout = CgroupLayout.detect();
        if (!layout.v2().contains("memory")) {
            System.out.println("RealTreesIT: the version 2 tree of this machine offers "
                    + (layout.v2().isEmpty() ? "none of memory, cpu and pids" : layout.v2())
                    + ", so version 2 was tested against a fake tree only");
            abort("no controllers in version 2");
        }
        writeAndRead();
    }

    private static Path job(Cgroups cgroups, String kind) throws Exception {
        var arguments = cgroups.arguments();
        var parent = arguments.stream()
                .filter(argument -> argument.startsWith(kind + "="))
                .findFirst()
                .orElseThrow()
                .substring(kind.length() + 1);
        return Files.createDirectories(Path.of(parent).resolve("job"));
    }
}
