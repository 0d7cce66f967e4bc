package dev.bobbin.image.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.bobbin.image.Credentials;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.Platform;
import dev.bobbin.image.PullProgress;
import dev.bobbin.image.registry.RegistryConfig.CredentialSources;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Debian's `docker-registry`, in every way in which it can be guarded.
final class DockerRegistryIT {
    private static final Credentials.Password ALICE = new Credentials.Password("alice", "s3cret");

    private final SmallImage image = SmallImage.of(7, 5_000_000, 100_000, 0);

    @TempDir
    private Path directory;

    @BeforeAll
    static void needRegistry() {
        var there = Files.isExecutable(DebianRegistry.PROGRAM);
        if (!there && Boolean.parseBoolean(System.getenv("CI"))) {
            throw new AssertionError("docker-registry is missing: apt-get install docker-registry");
        }
        assumeTrue(there, "docker-registry is missing: apt-get install docker-registry");
    }

    @Test
    void pushesAndPullsOpenly() throws IOException {
        try (var registry = new DebianRegistry(directory, "", "");
                var registries = new Registries(RegistryConfig.defaults())) {
            roundTrip(registries, registry.name(), null);

            var other = new ImageReference(registry.name() + "/other:v2");
            var progress = new CopyOnWriteArrayList<PullProgress>();
            registries.push(other, image.manifest(), image, Set.of("team/app"), null, progress::add);
            assertThat(progress).hasSize(4).allMatch(PullProgress.LayerExists.class::isInstance);
            assertThat(registries.tags(other, null)).containsExactly("v2");

            assertThatThrownBy(() -> resolve(registries, new ImageReference(registry.name() + "/none"), null))
                    .extracting(e -> ((ImageException) e).problem())
                    .isEqualTo(ImageProblem.NOT_FOUND);
            assertThatThrownBy(() -> registries.tags(new ImageReference(registry.name() + "/none"), null))
                    .extracting(e -> ((ImageException) e).problem())
                    .isEqualTo(ImageProblem.NOT_FOUND);
        }
    }

    @Test
    void resumesInTheMiddle() throws IOException {
        try (var registry = new DebianRegistry(directory, "", "");
                var registries = new Registries(RegistryConfig.defaults())) {
            roundTrip(registries, registry.name(), null);
            var bytes = image.layer(0);
            var start = new java.io.ByteArrayInputStream(bytes, 0, 1_234_567);
            var layer = image.content().layers().getFirst();

            try (var in = registries.resume(
                    new ImageReference(registry.name() + "/team/app"), layer, start, 1_234_567, null)) {
                assertThat(in.readAllBytes()).isEqualTo(java.util.Arrays.copyOfRange(bytes, 1_234_567, bytes.length));
            }
        }
    }

    @Test
    void showsPassword() throws Exception {
        try (var registry = new DebianRegistry(directory, "", guardedByPassword());
                var registries = new Registries(RegistryConfig.defaults())) {
            roundTrip(registries, registry.name(), ALICE);

            assertForbidden(registries, registry.name(), Credentials.ANONYMOUS);
            assertForbidden(registries, registry.name(), new Credentials.Password("alice", "wrong"));
            assertForbidden(registries, registry.name(), null);
        }
    }

    @Test
    void findsPasswordInFile() throws Exception {
        try (var registry = new DebianRegistry(directory, "", guardedByPassword())) {
            var file = Files.writeString(directory.resolve("auth.json"), """
                    {"auths": {"%s": {"auth": "YWxpY2U6czNjcmV0"}}}""".formatted(registry.name()));
            var sources = new CredentialSources(List.of(file), List.of(), Map.of());
            try (var registries = new Registries(RegistryConfig.defaults().withCredentials(sources))) {
                roundTrip(registries, registry.name(), null);
                assertForbidden(registries, registry.name(), Credentials.ANONYMOUS);
            }
        }
    }

    @Test
    void fetchesTokens() throws Exception {
        var certificates = Certificates.make(directory, "tokens", "dns:tokens.test");
        try (var tokens = new TokenServer(certificates, ALICE);
                var registry = new DebianRegistry(directory, "", """
                        auth:
                          token: {realm: "%s", service: registry, issuer: tests, rootcertbundle: %s}
                        """.formatted(tokens.realm(), certificates.pem()));
                var registries = new Registries(RegistryConfig.defaults())) {
            roundTrip(registries, registry.name(), ALICE);

            // one for pull and push, one for pull, however many asked at once
            assertThat(tokens.server().count("GET", "/token")).isEqualTo(2);
            var before = tokens.server().count("GET", "/token");
            resolve(registries, new ImageReference(registry.name() + "/team/app:v1"), ALICE);
            assertThat(tokens.server().count("GET", "/token")).isEqualTo(before);
            assertForbidden(registries, registry.name(), Credentials.ANONYMOUS);
            assertForbidden(registries, registry.name(), new Credentials.Password("alice", "wrong"));
        }
    }

    @Test
    void believesAuthorityThatIsConfigured() throws Exception {
        var certificates = Certificates.make(directory, "own", "ip:127.0.0.1,dns:localhost");
        var tls = "tls: {certificate: %s, key: %s}".formatted(certificates.pem(), certificates.key());
        try (var registry = new DebianRegistry(directory, tls, "")) {
            var config = Town.config(Map.of("127.0.0.1", certificates.pem()), CredentialSources.NONE, Map.of());
            try (var registries = new Registries(config)) {
                roundTrip(registries, registry.name(), null);
            }
            try (var registries = new Registries(RegistryConfig.defaults())) {
                assertThatThrownBy(() -> resolve(registries, new ImageReference(registry.name() + "/team/app"), null))
                        .hasMessageContaining("no trusted TLS")
                        .extracting(e -> ((ImageException) e).problem())
                        .isEqualTo(ImageProblem.UNAVAILABLE);
            }
        }
    }

    /// An image that other tools made, in the registry's other format.
    @Test
    void pullsWhatSkopeoPushed() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/skopeo")), "skopeo is missing: apt-get install skopeo");
        try (var registry = new DebianRegistry(directory, "", "");
                var registries = new Registries(RegistryConfig.defaults())) {
            roundTrip(registries, registry.name(), null);
            var layout = "oci:" + directory.resolve("layout") + ":x";
            run(
                    "skopeo",
                    "--insecure-policy",
                    "copy",
                    "--src-tls-verify=false",
                    "docker://" + registry.name() + "/team/app:v1",
                    layout);
            run(
                    "skopeo",
                    "--insecure-policy",
                    "copy",
                    "--dest-tls-verify=false",
                    layout,
                    "docker://" + registry.name() + "/copied:v1");

            var found = resolve(registries, new ImageReference(registry.name() + "/copied:v1"), null);

            assertThat(found.manifest().descriptor().digest())
                    .isEqualTo(image.manifest().descriptor().digest());
        }
    }

    private void roundTrip(Registries registries, String registry, @Nullable Credentials credentials)
            throws IOException {
        var name = new ImageReference(registry + "/team/app:v1");
        registries.push(name, image.manifest(), image, Set.of(), credentials, _ -> {});

        var found = resolve(registries, name, credentials);

        assertThat(found.content()).isEqualTo(image.content());
        assertThat(found.manifest().bytes()).isEqualTo(image.manifest().bytes());
        for (var layer : found.content().layers()) {
            try (var in = registries.blob(name, layer, credentials)) {
                assertThat(in.readAllBytes()).isEqualTo(image.blobs().get(layer.digest()));
            }
        }
        assertThat(registries.tags(name, credentials)).containsExactly("v1");
        var exact = new ImageReference(
                registry + "/team/app@" + found.manifest().descriptor().digest());
        assertThat(resolve(registries, exact, credentials).content()).isEqualTo(image.content());
    }

    private static Resolved resolve(Registries registries, ImageReference name, @Nullable Credentials credentials) {
        return registries.resolve(name, Platform.ofThisMachine(), credentials);
    }

    private void assertForbidden(Registries registries, String registry, @Nullable Credentials credentials) {
        var name = new ImageReference(registry + "/team/app:v1");
        assertThatThrownBy(() -> resolve(registries, name, credentials))
                .hasMessageNotContaining("wrong")
                .extracting(e -> ((ImageException) e).problem())
                .isEqualTo(ImageProblem.UNAUTHORIZED);
        assertThatThrownBy(() -> registries.push(name, image.manifest(), image, Set.of(), credentials, _ -> {}))
                .extracting(e -> ((ImageException) e).problem())
                .isEqualTo(ImageProblem.UNAUTHORIZED);
    }

    /// Needs `htpasswd` for the one form of password that the registry takes.
    private String guardedByPassword() throws IOException, InterruptedException {
        var file = directory.resolve("htpasswd");
        Files.writeString(file, run("htpasswd", "-nbB", "alice", "s3cret").strip() + "\n");
        return "auth:\n  htpasswd: {realm: tests, path: " + file + "}\n";
    }

    private static String run(String... command) throws IOException, InterruptedException {
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        return said;
    }
}
