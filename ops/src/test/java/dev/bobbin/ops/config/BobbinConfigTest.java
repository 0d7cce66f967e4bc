package dev.bobbin.ops.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.Capability;
import dev.bobbin.runner.Cidr;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Rights;
import dev.bobbin.runner.build.BuildConfig;
import dev.bobbin.runner.host.HostConfig;
import dev.bobbin.runner.net.NetworkConfig;
import dev.bobbin.runner.seccomp.FilterSource;
import dev.bobbin.runner.volume.BindConfig;
import dev.bobbin.scheduler.admission.AdmissionConfig;
import dev.bobbin.scheduler.dispatch.PublishConfig;
import dev.bobbin.scheduler.http.HttpConfig;
import dev.bobbin.scheduler.http.Listen;
import dev.bobbin.scheduler.tenant.Token;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class BobbinConfigTest {
    private static final Map<String, List<String>> NO_FLAGS = Map.of();
    private static final Map<String, String> NO_VARIABLES = Map.of();

    @TempDir
    private Path directory = Path.of("");

    @Test
    void needsNoSettings() {
        var config = BobbinConfig.read(NO_FLAGS, NO_VARIABLES, null);

        assertThat(config.http().listen())
                .containsExactly(Listen.parse("127.0.0.1:8080"), Listen.parse("unix:/run/bobbin/api.sock"));
        assertThat(config.http().allowedHosts()).isEmpty();
        assertThat(config.http().allowedOrigins()).isEmpty();
        assertThat(config.drainTimeout()).isEqualTo(Duration.ofSeconds(10));
        assertThat(config.http().defaultImage()).isEqualTo(ImageReference.HOST);
        assertThat(config.hostImage()).isTrue();
        assertThat(config.tokens()).isEmpty();
        assertThat(config.admission()).isEqualTo(AdmissionConfig.DEFAULT);
        assertThat(config.host())
                .isEqualTo(new HostConfig(
                        Path.of("/var/lib/bobbin"),
                        Path.of("/run/bobbin"),
                        HostConfig.DEFAULT_POOL,
                        null,
                        HostConfig.DEFAULT_KEEP_ENDED,
                        HostConfig.DEFAULT_KEEP_ENDED_BYTES,
                        false));
    }

    @Test
    void readsEveryKeyFromFile() throws IOException {
        var file = write("""
                listen: [127.0.0.1:9000, "unix:/tmp/other.sock"]
                drain-timeout: 3s
                default-image: busybox:1.36
                host-image: off
                http:
                  allowed-hosts: [jobs.example]
                  allowed-origins: ["https://jobs.example"]
                  grace: 2s
                  stalled: 30s
                  shared-prefixes: [/srv/shared]
                data-dir: /tmp/data
                run-dir: /tmp/run
                admission:
                  jobs: 7
                  line: 8
                  patience: 250ms
                  overcommit: 1.5
                  sandboxes: 9
                  sandbox-overcommit: 12.5
                images:
                  directory: /tmp/images
                  insecure: ["lab.example:5000"]
                  mirrors: [docker.io=mirror.example, "docker.io=other.example:5000", quay.io=mirror.example]
                  authorities: [lab.example=/etc/lab.pem]
                  credential-files: [/etc/bobbin/auth.json]
                  credential-programs: [/opt/bin]
                  token-hosts: [quay.io=auth.example]
                  private-registries: off
                  open-networks: [10.1.0.0/16]
                  parallel: 3
                  layer-bytes: 2GiB
                  layer-entries: 1000
                  prune-every: 10m
                  prune-unused-for: 720h
                  prune-keep-bytes: 50GiB
                host:
                  pool: 5
                  keep-ended: 2h
                  keep-ended-bytes: 3GiB
                  allow-unenforced-limits: on
                  bind-prefixes: [/srv/read, /opt/./data/]
                  writable-bind-prefixes: [/srv/write]
                  bind-callers: all
                  seccomp: /etc/bobbin/seccomp.json
                  seccomp-profiles: [no-sockets=/etc/bobbin/no-sockets.json]
                  rights:
                    allowed: [new-privileges, CAP_SYS_PTRACE]
                  network:
                    host: on
                    range: 172.16.0.0/16
                    allowed: [10.1.0.0/16, 192.168.7.7]
                    dns: [192.0.2.53, "127.0.0.1:5353", "[::1]:54"]
                build:
                  parallel: 3
                  context-bytes: 1GiB
                  uploads: 4
                  upload-bytes: 2GiB
                  cache-bytes: 5GiB
                  cache-entries: 700
                  keep-unused: 2d
                  memory: 1GiB
                  disk: 6GiB
                  time: 10m
                  output: 1MiB
                publish:
                  addresses: [192.0.2.10]
                  low-ports: on
                """);

        var config = BobbinConfig.read(NO_FLAGS, NO_VARIABLES, file);

        assertThat(config.http())
                .isEqualTo(new HttpConfig(
                        List.of(
                                Listen.parse("127.0.0.1:9000"),
                                Listen.parse("unix:/tmp/other.sock"),
                                Listen.parse("unix:/tmp/run/api.sock")),
                        List.of("jobs.example"),
                        List.of("https://jobs.example"),
                        new ImageReference("busybox:1.36"),
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(30),
                        List.of(Path.of("/srv/shared"))));
        assertThat(config.drainTimeout()).isEqualTo(Duration.ofSeconds(3));
        assertThat(config.hostImage()).isFalse();
        assertThat(config.images())
                .isEqualTo(new ImagesConfig(
                        Path.of("/tmp/images"),
                        Set.of("lab.example:5000"),
                        Map.of(
                                "docker.io",
                                List.of("mirror.example", "other.example:5000"),
                                "quay.io",
                                List.of("mirror.example")),
                        Map.of("lab.example", Path.of("/etc/lab.pem")),
                        List.of(Path.of("/etc/bobbin/auth.json")),
                        List.of(Path.of("/opt/bin")),
                        Map.of("quay.io", Set.of("auth.example")),
                        false,
                        List.of("10.1.0.0/16"),
                        3,
                        2L << 30,
                        1000,
                        Duration.ofMinutes(10),
                        Duration.ofDays(30),
                        50L << 30));
        assertThat(config.admission()).isEqualTo(new AdmissionConfig(7, 8, Duration.ofMillis(250), 1.5, 9, 12.5));
        assertThat(config.host())
                .isEqualTo(new HostConfig(
                        Path.of("/tmp/data"),
                        Path.of("/tmp/run"),
                        5,
                        null,
                        Duration.ofHours(2),
                        3L << 30,
                        true,
                        new BindConfig(
                                List.of(Path.of("/srv/read"), Path.of("/opt/data")),
                                List.of(Path.of("/srv/write")),
                                true),
                        new FilterSource(
                                true,
                                Path.of("/etc/bobbin/seccomp.json"),
                                Map.of("no-sockets", Path.of("/etc/bobbin/no-sockets.json"))),
                        new NetworkConfig(
                                true,
                                Cidr.of("172.16.0.0/16"),
                                List.of(Cidr.of("10.1.0.0/16"), Cidr.of("192.168.7.7/32")),
                                List.of(
                                        new InetSocketAddress(InetAddress.ofLiteral("192.0.2.53"), 53),
                                        new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 5353),
                                        new InetSocketAddress(InetAddress.ofLiteral("::1"), 54))),
                        new Rights(true, Set.of(Capability.SYS_PTRACE)),
                        new BuildConfig(
                                3,
                                1L << 30,
                                4,
                                2L << 30,
                                5L << 30,
                                700,
                                Duration.ofDays(2),
                                new Limits(
                                        1L << 30,
                                        0,
                                        Limits.DEFAULT.pids(),
                                        Duration.ofMinutes(10),
                                        1L << 20,
                                        6L << 30))));
        assertThat(config.publish()).isEqualTo(new PublishConfig(List.of(Inet4Address.ofLiteral("192.0.2.10")), true));
    }

    @Test
    void refusesNetworksThatAreNone() {
        var wrong = Map.of(
                "HOST_NETWORK_RANGE=8.8.0.0/16", "host.network.range: 8.8.0.0/16 must lie in",
                "HOST_NETWORK_RANGE=10.0.0.0/24", "host.network.range: has a prefix of",
                "HOST_NETWORK_RANGE=some", "host.network.range: \"some\" is no IPv4 range",
                "HOST_NETWORK_ALLOWED=8.8.8.8", "host.network.allowed: 8.8.8.8/32 is no private range",
                "HOST_NETWORK_DNS=resolver.example", "host.network.dns: \"resolver.example\" is no ADDRESS",
                "HOST_NETWORK_DNS=192.0.2.1:0", "host.network.dns: \"192.0.2.1:0\" is no ADDRESS",
                "PUBLISH_ADDRESSES=::1", "publish.addresses: \"::1\" is no IPv4 address");
        wrong.forEach((setting, message) -> {
            var parts = setting.split("=", 2);
            assertThatThrownBy(() -> BobbinConfig.read(NO_FLAGS, Map.of("BOBBIN_" + parts[0], parts[1]), null))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageStartingWith(message);
        });
    }

    @Test
    void refusesDirectoriesThatNoSandboxMaySee() {
        for (var prefix : List.of("/", "srv", "/proc", "/dev/shm", "/sys/../proc/1")) {
            assertThatThrownBy(() -> BobbinConfig.read(
                            NO_FLAGS, Map.of("BOBBIN_HOST_WRITABLE_BIND_PREFIXES", "/srv," + prefix), null))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageStartingWith("host.writable-bind-prefixes: \"" + prefix + "\"");
        }
        assertThatThrownBy(() -> BobbinConfig.read(NO_FLAGS, Map.of("BOBBIN_HOST_BIND_CALLERS", "me"), null))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("host.bind-callers: must be admin or all");
    }

    @Test
    void findsCredentialsWherePodmanAndDockerKeepThem() {
        var variables = Map.of(
                "REGISTRY_AUTH_FILE", "/a/auth.json",
                "XDG_RUNTIME_DIR", "/run/user/0",
                "DOCKER_CONFIG", "/d",
                "HOME", "/root",
                "PATH", "/usr/bin:relative:/bin");

        var images = BobbinConfig.read(NO_FLAGS, variables, null).images();

        assertThat(images.credentialFiles())
                .containsExactly(
                        Path.of("/a/auth.json"),
                        Path.of("/run/user/0/containers/auth.json"),
                        Path.of("/root/.config/containers/auth.json"),
                        Path.of("/d/config.json"),
                        Path.of("/root/.docker/config.json"));
        assertThat(images.credentialPrograms()).containsExactly(Path.of("/usr/bin"), Path.of("/bin"));
    }

    @Test
    void keepsImagesInTheDataDirectoryAndPrunesNothingByItself() {
        var images = BobbinConfig.read(Map.of("data-dir", List.of("/d")), NO_VARIABLES, null)
                .images();

        assertThat(images.directory()).isEqualTo(Path.of("/d/images"));
        assertThat(images.prune()).isEmpty();
        assertThat(images.credentialFiles()).isEmpty();
    }

    @Test
    void hasOneKeyForEveryComponent() {
        var expected = new TreeSet<>(Set.of("data-dir", "run-dir", "listen", "default-image"));
        components(BobbinConfig.class, "").forEach(expected::add);
        // Secrets come by variables alone, and a server's successor decides on orphans.
        expected.removeAll(Set.of("tokens", "host.orphan-grace"));
        // What every user meets stands at the top.
        expected.removeAll(Set.of("host.data-dir", "host.run-dir", "http.listen", "http.default-image"));
        // What may be bound is said beside the rest of the host.
        expected.removeIf(key -> key.startsWith("host.binds"));
        expected.addAll(Set.of("host.bind-callers", "host.bind-prefixes", "host.writable-bind-prefixes"));
        // Builds are jobs of their own kind.
        expected.removeIf(key -> key.startsWith("host.builds"));
        Stream.of("parallel", "context-bytes", "uploads", "upload-bytes", "cache-bytes", "cache-entries", "keep-unused")
                .forEach(key -> expected.add("build." + key));
        Stream.of("memory", "disk", "time", "output").forEach(key -> expected.add("build." + key));
        // Profiles with a name are of the same kind as that of all jobs.
        expected.add("host.seccomp-profiles");
        // Jobs ask for rights, and a host says the most that they get.
        expected.remove("host.rights");
        expected.add("host.rights.allowed");

        assertThat(BobbinConfig.keys()).containsExactlyElementsOf(expected);
    }

    @Test
    void flagsWinOverVariablesAndTheseOverFile() throws IOException {
        var file = write("host: {pool: 1, keep-ended: 1m}\ndrain-timeout: 1s\n");
        var variables = Map.of("BOBBIN_HOST_POOL", "2", "BOBBIN_DRAIN_TIMEOUT", "2s");
        var flags = Map.of("host.pool", List.of("3"));

        var config = BobbinConfig.read(flags, variables, file);

        assertThat(config.host().pool()).isEqualTo(3);
        assertThat(config.drainTimeout()).isEqualTo(Duration.ofSeconds(2));
        assertThat(config.host().keepEnded()).isEqualTo(Duration.ofMinutes(1));
    }

    @Test
    void takesFileFromVariable() throws IOException {
        var file = write("drain-timeout: 4s");

        var config = BobbinConfig.read(NO_FLAGS, Map.of("BOBBIN_CONFIG", file.toString()), null);

        assertThat(config.drainTimeout()).isEqualTo(Duration.ofSeconds(4));
    }

    @Test
    void splitsListsInVariables() {
        var config = BobbinConfig.read(NO_FLAGS, Map.of("BOBBIN_LISTEN", "127.0.0.1:1,[::1]:2"), null);

        assertThat(config.http().listen()).startsWith(Listen.parse("127.0.0.1:1"), Listen.parse("[::1]:2"));
    }

    @Test
    void refusesUnknownKeyNamingTheNearest() throws IOException {
        var file = write("host:\n  keep-endde: 1h\n");

        assertThatThrownBy(() -> BobbinConfig.read(NO_FLAGS, NO_VARIABLES, file))
                .isInstanceOf(ConfigException.class)
                .hasMessageContainingAll("\"host.keep-endde\"", file.toString(), "\"host.keep-ended\"");
    }

    @Test
    void refusesUnknownVariableNamingTheNearest() {
        assertThatThrownBy(() -> BobbinConfig.read(NO_FLAGS, Map.of("BOBBIN_HOST_POOLS", "1"), null))
                .hasMessageContainingAll("\"BOBBIN_HOST_POOLS\"", "\"BOBBIN_HOST_POOL\"");
    }

    @Test
    void leavesOtherPeoplesVariablesAlone() {
        var variables = Map.of("HOME", "/root", "BOBBIN_JAVA_HOME", "/opt/jdk", "BOBBINS", "3");

        assertThat(BobbinConfig.read(NO_FLAGS, variables, null).host().pool()).isEqualTo(HostConfig.DEFAULT_POOL);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            host.pool          | many          | host.pool: must be a whole number, not "many" (command line).
            host.pool          | 5000          | host.pool: must be between 0 and 4096.
            admission.jobs     | 0             | admission.jobs: must be between 1 and 1000000.
            admission.sandboxes | 0            | admission.sandboxes: must be between 1 and 1000000.
            admission.sandbox-overcommit | 0.5 | admission.sandbox-overcommit: must be between 1 and 100000.
            build.uploads      | 0             | build.uploads: must be at least 1.
            build.upload-bytes | 1GiB          | build.upload-bytes: must be at least build.context-bytes.
            build.memory       | 1KiB          | build.memory must be at least 4MiB.
            drain-timeout      | 3 weeks       | drain-timeout: must be a duration such as 10, 250ms, 30s, 5m or 1h
            host.keep-ended-bytes | 1XB        | host.keep-ended-bytes: must be a size such as
            images.mirrors     | docker.io     | images.mirrors: must be a list of NAME=VALUE, not "docker.io".
            images.parallel    | 0             | images.parallel: must be between 1 and 64.
            images.prune-every | 10ms          | images.prune-every: must be at least 1s.
            host-image         | maybe         | host-image: must be on or off
            default-image      | Not An Image  | default-image: an image name looks like
            listen             | 8080          | must be HOST:PORT or unix:PATH
            listen             | 127.0.0.1:x   | must be HOST:PORT or unix:PATH
            listen             | 127.0.0.1:99999 | a port is between 0 and 65535
            listen             | 0.0.0.0:8080  | a token is needed: set BOBBIN_API_TOKEN
            run-dir            | /12345678901234567890123456789012345678901234567890123456789012345678901234567890 | run-dir: has at most
            """)
    void explainsWrongValues(String key, String value, String sentence) {
        assertThatThrownBy(() -> BobbinConfig.read(Map.of(key, List.of(value)), NO_VARIABLES, null))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(sentence)
                .hasMessageEndingWith(".");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            host: [         | is not valid YAML at line
            host: {pool: 1, pool: 2} | is not valid YAML
            just words      | must hold keys and values
            listen: [[1]]   | listen: must be a value or a list of values
            host:           | host: must be a value
            """)
    void explainsWrongFiles(String text, String sentence) throws IOException {
        var file = write(text);

        assertThatThrownBy(() -> BobbinConfig.read(NO_FLAGS, NO_VARIABLES, file))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(sentence);
    }

    @Test
    void explainsMissingFile() {
        assertThatThrownBy(() -> BobbinConfig.read(NO_FLAGS, NO_VARIABLES, directory.resolve("absent.yaml")))
                .hasMessageContaining("absent.yaml cannot be read");
    }

    @Test
    void readsTheVariablesOfMinibox() {
        var variables = Map.of(
                "MINIBOX_HTTP_ADDR", "127.0.0.1:9090",
                "MINIBOX_DATA_ROOT", "/data/minibox",
                "MINIBOX_BUILD_PREFIXES", "/srv/builds, /home,, ",
                "MINIBOX_API_TOKEN", " secret\n");

        var config = BobbinConfig.read(NO_FLAGS, variables, null);

        assertThat(config.http().listen()).contains(Listen.parse("127.0.0.1:9090"));
        assertThat(config.host().dataDir()).isEqualTo(Path.of("/data/minibox/bobbin"));
        assertThat(config.http().sharedPrefixes()).containsExactly(Path.of("/srv/builds"), Path.of("/home"));
        var flags = Map.of("listen", List.of("127.0.0.1:7"));
        assertThat(BobbinConfig.read(flags, variables, null).http().listen()).contains(Listen.parse("127.0.0.1:7"));
        assertThat(BobbinConfig.read(NO_FLAGS, Map.of("MINIBOX_HTTP_ADDR", ":9090", "MINIBOX_API_TOKEN", "x"), null)
                        .http()
                        .listen())
                .contains(Listen.parse("0.0.0.0:9090"));
    }

    @Test
    void everyDialectsVariableAddsAToken() {
        var variables = Map.of("BOBBIN_API_TOKEN", "a", "MINIBOX_API_TOKEN", "b", "AGENTKERNEL_API_KEY", "c");

        assertThat(BobbinConfig.read(NO_FLAGS, variables, null).tokens())
                .extracting(Token::name)
                .containsExactly("BOBBIN_API_TOKEN", "MINIBOX_API_TOKEN", "AGENTKERNEL_API_KEY");
    }

    @Test
    void listensAnywhereWithAToken() {
        var flags = Map.of("listen", List.of("0.0.0.0:8080"));

        var config = BobbinConfig.read(flags, Map.of("BOBBIN_API_TOKEN", "secret"), null);

        assertThat(config.http().listen()).startsWith(Listen.parse("0.0.0.0:8080"));
    }

    @Test
    void neverShowsTokens() {
        var config = BobbinConfig.read(NO_FLAGS, Map.of("BOBBIN_API_TOKEN", "hunter2"), null);

        assertThat(config.toString()).doesNotContain("hunter2");
    }

    private Path write(String text) throws IOException {
        return Files.writeString(directory.resolve("bobbin.yaml"), text);
    }

    /// Keys by record path; a record of ours is a section.
    private static Stream<String> components(Class<?> type, String prefix) {
        return Stream.of(type.getRecordComponents()).flatMap(component -> key(component, prefix));
    }

    private static Stream<String> key(RecordComponent component, String prefix) {
        var name = prefix + component.getName().replaceAll("([A-Z])", "-$1").toLowerCase(java.util.Locale.ROOT);
        return component.getType().isRecord()
                        && component.getType().getSimpleName().endsWith("Config")
                ? components(component.getType(), name + ".")
                : Stream.of(name);
    }
}
