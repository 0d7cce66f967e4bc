package dev.bobbin.runner.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.Capability;
import dev.bobbin.runner.Cidr;
import dev.bobbin.runner.Command;
import dev.bobbin.runner.Isolation;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Mount;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.RequestKey;
import dev.bobbin.runner.Rights;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.SandboxSpec;
import dev.bobbin.runner.SandboxState;
import dev.bobbin.runner.Sysctls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SandboxRecordTest {
    /// As a server wrote it that knew no mounts.
    private static final String FIRST_VERSION = """
            {"version": 1, "id": "0198f3b0-7c1e-7abc-8def-0123456789ab", "tenant": "default", "name": "web",\
             "state": "stopped", "problem": null, "image": "host", "layers": [], "command": ["sleep", "60"],\
             "env": {"A": "b"}, "workdir": null, "user": null, "labels": {"team": "blue"},\
             "memory_bytes": 536870912, "cpu_thousandths": 500, "pids": 1024, "output_bytes": 67108864,\
             "disk_bytes": 1073741824, "output_policy": "DROP", "ttl_millis": null, "idle_timeout_millis": 60000,\
             "created_millis": 1756000000000, "uid_base": 1879048192, "pid": 4711,\
             "own": "0198f3b0-7c1e-7abc-8def-0123456789ac", "started": 1}
            """;

    /// As a server wrote it that knew mounts and no networks.
    private static final String SECOND_VERSION = """
            {"version": 2, "id": "0198f3b0-7c1e-7abc-8def-0123456789ab", "tenant": "default", "name": "web",\
             "state": "stopped", "problem": null, "image": "host", "layers": [], "command": ["sh"],\
             "env": {"A": "b"}, "workdir": null, "user": null, "labels": {"team": "blue"},\
             "memory_bytes": 536870912, "cpu_thousandths": 500, "pids": 1024, "output_bytes": 67108864,\
             "disk_bytes": 1073741824, "output_policy": "DROP", "ttl_millis": null, "idle_timeout_millis": 60000,\
             "mounts": [{"volume": "data", "target": "/a", "read_only": 0}], "rows": 24, "columns": 80,\
             "created_millis": 1756000000000, "uid_base": 1879048192, "pid": 4711,\
             "own": "0198f3b0-7c1e-7abc-8def-0123456789ac", "started": 1}
            """;

    /// As a server wrote it that knew no aliases.
    private static final String THIRD_VERSION =
            SECOND_VERSION.replace("\"version\": 2", "\"version\": 3").replace("\"rows\"", """
                    "cpuset": "0-1", "cpu_weight": 200, "open_files": 64, "read_bytes": 1, "write_bytes": 2,\
                     "read_operations": 3, "write_operations": 4, "network": "host",\
                     "sysctls": {}, "seccomp": null, "rows"\
                    """);

    @TempDir
    private Path directory;

    @Test
    void readsTheFirstVersion() throws Exception {
        var file = directory.resolve("sandbox.json");
        Files.writeString(file, FIRST_VERSION);
        var record = SandboxRecord.read(file);
        assertThat(record.spec().name()).isEqualTo("web");
        assertThat(record.spec().mounts()).isEmpty();
        assertThat(record.state()).isEqualTo(SandboxState.STOPPED);
        record.write(file);
        assertThat(SandboxRecord.read(file)).isEqualTo(record);
    }

    @Test
    void readsTheSecondVersion() throws Exception {
        var file = directory.resolve("sandbox.json");
        Files.writeString(file, SECOND_VERSION);
        var record = SandboxRecord.read(file);
        assertThat(record.spec().mounts()).containsExactly(new Mount.Volume("data", "/a", false));
        assertThat(record.spec().isolation().network()).isEqualTo(Network.NONE);
        assertThat(record.spec().isolation().sysctls()).isEqualTo(Sysctls.NONE);
        record.write(file);
        assertThat(SandboxRecord.read(file)).isEqualTo(record);
    }

    @Test
    void givesASandboxOfTheThirdVersionItsAlias() throws Exception {
        var file = directory.resolve("sandbox.json");
        Files.writeString(file, THIRD_VERSION);
        var record = SandboxRecord.read(file);
        assertThat(record.spec().isolation().network()).isEqualTo(new Network.Host());
        assertThat(record.aliases()).containsExactly("456789ab");
        record.write(file);
        assertThat(SandboxRecord.read(file)).isEqualTo(record);
    }

    @Test
    void keepsNetworks() throws Exception {
        var bridge = new Network.Bridge(
                "shop",
                List.of("db", "Database"),
                List.of(new Network.PublishedPort(Network.Protocol.UDP, Network.PublishedPort.EVERY, 0, 53)),
                new Network.Egress(false, List.of(Cidr.of("10.1.0.0/16")), List.of("*.example.org")));
        for (var network : List.of(Network.NONE, new Network.Host(), Network.Bridge.PLAIN, bridge)) {
            assertThat(NetworkRecord.decode(NetworkRecord.encode(network))).isEqualTo(network);
            assertThat(NetworkRecord.read(NetworkRecord.write(network))).isEqualTo(network);
        }
    }

    @Test
    void refusesANewerVersionByItsNumber() throws Exception {
        var file = directory.resolve("sandbox.json");
        Files.writeString(file, FIRST_VERSION.replace("\"version\": 1", "\"version\": 5"));
        assertThatThrownBy(() -> SandboxRecord.read(file))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("version 5");
    }

    @Test
    void keepsMountsSysctlsRareLimitsTheProfileAndTheKey() throws Exception {
        var spec = new SandboxSpec(
                SandboxId.next(),
                "default",
                null,
                ImageReference.HOST,
                Command.of(List.of()),
                List.of(),
                Limits.DEFAULT
                        .within(Limits.LONGEST_TIME, Limits.DEFAULT.outputBytes())
                        .on("0-1,3", 200, new Limits.Io(1, 2, 3, 4), 64),
                Job.OutputPolicy.DROP,
                Map.of(),
                null,
                null,
                List.of(
                        new Mount.Tmpfs("/t", 0),
                        new Mount.Volume("data", "/a/b", true),
                        new Mount.Bind("/srv/ä", "/a", false)),
                new Isolation(
                        Network.NONE,
                        new Sysctls(Map.of("net.core.somaxconn", "1024")),
                        "moderate",
                        new Rights(true, Set.of(Capability.SYS_PTRACE))),
                RequestKey.of("tenant", "word", Digest.sha256("body")));
        var record = new SandboxRecord(
                spec,
                List.of("0badcafe"),
                List.of(),
                Instant.ofEpochMilli(5),
                0,
                0,
                SandboxState.CREATING,
                JobId.next(),
                false,
                null,
                7);
        var file = directory.resolve("sandbox.json");
        record.write(file);
        assertThat(SandboxRecord.read(file)).isEqualTo(record);
    }
}
