package dev.bobbin.image.registry;

import static dev.bobbin.image.registry.LyingRegistry.fixed;
import static dev.bobbin.image.registry.LyingRegistry.status;
import static dev.bobbin.image.registry.LyingRegistry.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.image.Credentials;
import dev.bobbin.image.Descriptor;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.Platform;
import dev.bobbin.image.registry.RegistryConfig.CredentialSources;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A registry at a public address that points its callers at places which only they can reach, or asks for what is not
/// its own. Each trap really listens, so a connection that was made is a connection that is seen.
final class ReferralAttacksTest {
    private static final Credentials SECRET = new Credentials.Password("alice", "s3cret");

    private final SmallImage image = SmallImage.of(2, 50_000);
    private final Town town = new Town();
    private final List<LyingRegistry> traps = new ArrayList<>();
    private LyingRegistry registry;
    private Registries registries;
    private ImageReference reference;

    @BeforeEach
    void start() throws IOException {
        registry = LyingRegistry.at(Town.PUBLIC).serve("app", "latest", image);
        town.name("registry.test", Town.PUBLIC);
        town.name("inside.test", Town.PRIVATE).name("own.test", Town.LOOPBACK).name("meta.test", Town.METADATA);
        town.name("other.test", Town.OTHER_PUBLIC).name("cdn.registry.test", Town.OTHER_PUBLIC);
        for (var address : List.of(Town.LOOPBACK, Town.PRIVATE, Town.METADATA, Town.OTHER_PUBLIC)) {
            traps.add(new LyingRegistry(address, registry.port(), null).on("/", status(200)));
        }
        // plain http is open to all names here, so that only the judgement of addresses stands between
        registries = town.registries(Town.config(
                "registry.test",
                "inside.test",
                "own.test",
                "meta.test",
                "other.test",
                "cdn.registry.test",
                Town.LOOPBACK,
                Town.PRIVATE,
                Town.METADATA,
                "localhost",
                "::1"));
        reference = new ImageReference("registry.test:" + registry.port() + "/app");
    }

    @AfterEach
    void stop() throws IOException {
        registries.close();
        registry.close();
        for (var trap : traps) {
            trap.close();
        }
    }

    static Stream<String> insides() {
        return Stream.of(
                "http://" + Town.METADATA,
                "http://meta.test",
                "http://" + Town.LOOPBACK,
                "http://localhost",
                "http://own.test",
                "http://" + Town.PRIVATE,
                "http://inside.test");
    }

    @ParameterizedTest
    @MethodSource("insides")
    void followsNoRedirectInside(String place) {
        registry.on("/blobs/", redirect(place));

        assertRefused(this::readLayer);
        assertNobodyReached();
    }

    @ParameterizedTest
    @MethodSource("insides")
    void asksNoRealmInside(String place) {
        registry.on("/manifests/", challenge(place + ":" + registry.port() + "/token"));

        assertRefused(() -> resolve(Credentials.ANONYMOUS));
        assertNobodyReached();
    }

    @ParameterizedTest
    @MethodSource("insides")
    void fetchesNoLayerUrlInside(String place) {
        var layer = foreign(place + ":" + registry.port() + "/layer");

        assertRefused(() -> read(layer));
        assertNobodyReached();
    }

    @Test
    void followsRedirectToAnotherPublicHost() throws IOException {
        other().on("/", LyingRegistry.ranged(image.layer(0)));
        registry.on("/blobs/", redirect("http://other.test"));

        readLayer();

        assertThat(other().connections()).isPositive();
    }

    @Test
    void fetchesForeignLayerFromPublicHostAsNobody() throws IOException {
        other().on("/layer", LyingRegistry.ranged(image.layer(0)));

        try (var in = registries.blob(reference, foreign("http://other.test:" + registry.port() + "/layer"), SECRET)) {
            assertThat(in.readAllBytes()).isEqualTo(image.layer(0));
        }
        assertThat(other().shown("authorization")).isEmpty();
    }

    /// Through a public host to the inside: each hop may only lead outwards.
    @Test
    void followsNoRedirectInsideByAnotherHost() {
        other().on("/", redirect("http://own.test"));
        registry.on("/blobs/", redirect("http://other.test"));

        assertRefused(this::readLayer);
        assertThat(trap(0).connections()).isZero();
    }

    @Test
    void registryOnThisMachineMayNotSendToAnotherThatSendsBack() throws IOException {
        try (var home = LyingRegistry.at(Town.LOOPBACK)) {
            home.serve("app", "latest", image)
                    .on(
                            "/blobs/",
                            (asked, out) -> out.write(LyingRegistry.head(
                                    307, 0, "Location: http://other.test:" + registry.port() + "/x")));
            other().on("/", redirect("http://own.test"));

            assertRefused(() -> registries
                    .blob(new ImageReference("127.0.0.1:" + home.port() + "/app"), layer(), null)
                    .close());
            assertThat(trap(0).connections()).isZero();
        }
    }

    /// The check and the connection must see one answer. The second look-up would lead inside.
    @Test
    void connectsToTheAddressThatWasChecked() throws IOException {
        town.name("turning.test", Town.OTHER_PUBLIC, Town.OTHER_PUBLIC).name("turning.test", Town.LOOPBACK);
        other().on("/", LyingRegistry.ranged(image.layer(0)));
        registry.on("/blobs/", redirect("http://turning.test"));
        try (var turning = town.registries(Town.config("registry.test", "turning.test"))) {
            try (var in = turning.blob(reference, layer(), null)) {
                assertThat(in.readAllBytes()).isEqualTo(image.layer(0));
            }
        }

        assertThat(town.lookedUp().stream().filter("turning.test"::equals)).hasSize(1);
        assertThat(trap(0).connections()).isZero();
    }

    @Test
    void judgesEveryNewAnswerOfAName() throws IOException {
        town.name("turning.test", Town.OTHER_PUBLIC).name("turning.test", Town.LOOPBACK);
        other().on("/", (_, out) -> {
            out.write(LyingRegistry.head(200, 50_000, "Connection: close"));
            out.write(image.layer(0), 0, 10_000);
            out.flush();
            throw new IOException("break, so that the rest is asked for by another connection");
        });
        registry.on("/blobs/", redirect("http://turning.test"));
        try (var turning = town.registries(Town.config("registry.test", "turning.test"))) {
            assertRefused(() -> {
                try (var in = turning.blob(reference, layer(), null)) {
                    in.readAllBytes();
                }
            });
        }

        assertThat(town.lookedUp().stream().filter("turning.test"::equals)).hasSize(2);
        assertThat(trap(0).connections()).isZero();
    }

    @Test
    void connectsOnlyToOpenAddressesOfAMixedAnswer() throws IOException {
        town.name("mixed.test", Town.LOOPBACK, Town.METADATA, Town.OTHER_PUBLIC);
        other().on("/", LyingRegistry.ranged(image.layer(0)));
        registry.on("/blobs/", redirect("http://mixed.test"));
        try (var mixed = town.registries(Town.config("registry.test", "mixed.test"));
                var in = mixed.blob(reference, layer(), null)) {
            assertThat(in.readAllBytes()).isEqualTo(image.layer(0));
        }

        assertThat(trap(0).connections() + trap(2).connections()).isZero();
    }

    /// A kept connection to this machine is not lent to a request that may not reach it.
    @Test
    void lendsNoConnectionBeyondItsReach() throws IOException {
        try (var home = LyingRegistry.at(Town.LOOPBACK)) {
            home.serve("app", "latest", image).on("/secret", fixed(200, image.layer(0)));
            registries.resolve(new ImageReference("127.0.0.1:" + home.port() + "/app"), Platform.ofThisMachine(), null);
            registry.on(
                    "/blobs/",
                    (_, out) -> out.write(
                            LyingRegistry.head(307, 0, "Location: http://127.0.0.1:" + home.port() + "/secret")));

            assertRefused(this::readLayer);
            assertThat(home.count("GET", "/secret")).isZero();
        }
    }

    @Test
    void opensConfiguredNetwork() throws IOException {
        trap(1).on("/", LyingRegistry.ranged(image.layer(0)));
        registry.on("/blobs/", redirect("http://inside.test"));
        try (var open = town.registries(Town.config("registry.test", "inside.test"), Town.PRIVATE + "/32");
                var in = open.blob(reference, layer(), null)) {
            assertThat(in.readAllBytes()).isEqualTo(image.layer(0));
        }
    }

    @Test
    void reachesNoRegistryNamedAtMetadata() {
        var named = new ImageReference("meta.test:" + registry.port() + "/app");

        assertRefused(() -> registries.resolve(named, Platform.ofThisMachine(), null));
        assertNobodyReached();
    }

    @Test
    void endsRedirectLoop() {
        registry.on("/blobs/", redirect("http://registry.test")).on("/redirected", redirect("http://registry.test"));

        assertRefused(this::readLayer);
        assertThat(registry.count("GET", "/")).isLessThan(10);
    }

    @Test
    void refusesStrangeLocations() {
        for (var place : List.of(
                "file:///etc/passwd",
                "ftp://other.test/x",
                "http://user:secret@other.test/x",
                "//",
                "http://",
                "http://[::1",
                "jar:http://other.test!/x",
                "http://other.test:99999/",
                "http:other.test")) {
            registry.on("/blobs/", status(307, "Location: " + place));

            assertThatThrownBy(this::readLayer).as(place).isInstanceOf(ImageException.class);
        }
        assertNobodyReached();
    }

    @Test
    void keepsCredentialsFromRedirectTarget() throws IOException {
        other().on("/", LyingRegistry.ranged(image.layer(0)));
        registry.on("/blobs/", needing("Basic realm=x", redirect("http://other.test")));

        try (var in = registries.blob(reference, layer(), SECRET)) {
            in.readAllBytes();
        }

        assertThat(registry.shown("authorization")).isNotEmpty();
        assertThat(other().connections()).isPositive();
        assertThat(other().shown("authorization")).isEmpty();
    }

    @Test
    void showsNoCredentialsWhereARedirectAsksForThem() {
        for (var challenge : List.of("Basic realm=x", "Bearer realm=\"http://registry.test/token\"")) {
            other().on("/", status(401, "WWW-Authenticate: " + challenge));
            registry.on("/blobs/", redirect("http://other.test"));

            assertThatThrownBy(() -> registries.blob(reference, layer(), SECRET).close())
                    .extracting(e -> ((ImageException) e).problem())
                    .isEqualTo(ImageProblem.UNAUTHORIZED);
        }
        assertThat(other().connections()).isPositive();
        assertThat(other().shown("authorization")).isEmpty();
        assertThat(registry.count("GET", "/token")).isZero();
    }

    @Test
    void reachesNoPrivateRegistryWhereThatIsOff() throws IOException {
        var defaults = RegistryConfig.defaults();
        var strict = new RegistryConfig(
                Set.of("127.0.0.1", "localhost"),
                Map.of(),
                Map.of(),
                CredentialSources.NONE,
                new RegistryConfig.Reachable(false, List.of()),
                defaults.patience(),
                1);
        try (var outside = new Registries(strict)) {
            for (var name : List.of("127.0.0.1", "localhost", "[::1]")) {
                assertRefused(() -> outside.resolve(
                        new ImageReference(name + ":" + registry.port() + "/app"), Platform.ofThisMachine(), SECRET));
            }
        }
        assertNobodyReached();
    }

    @Test
    void keepsCredentialsFromRealmOfAnotherHost() {
        registry.on("/manifests/", challenge("http://other.test:" + registry.port() + "/token"));

        assertThatThrownBy(() -> resolve(SECRET))
                .hasMessageContaining("other.test")
                .hasMessageContaining("token host")
                .extracting(e -> ((ImageException) e).problem())
                .isEqualTo(ImageProblem.UNAUTHORIZED);
        assertThat(other().connections()).isZero();
    }

    @Test
    void showsCredentialsToRealmBelowTheRegistry() {
        other().on("/token", fixed(200, text("{\"token\":\"t1\"}")));
        registry.on("/app/", bearing("t1", "http://cdn.registry.test:" + registry.port() + "/token", image));

        resolve(SECRET);
        resolve(SECRET);

        assertThat(other().shown("authorization")).hasSize(1).allMatch(value -> value.startsWith("Basic "));
        assertThat(registry.shown("authorization")).isNotEmpty().allMatch("Bearer t1"::equals);
        assertThat(other().seen().getFirst().target()).contains("scope=repository%3Aapp%3Apull", "account=alice");
    }

    @Test
    void showsCredentialsToConfiguredTokenHost() {
        other().on("/token", fixed(200, text("{\"access_token\":\"t2\",\"expires_in\":300}")));
        registry.on("/app/", bearing("t2", "http://other.test:" + registry.port() + "/token", image));
        var sources = new CredentialSources(List.of(), List.of(), Map.of("registry.test", Set.of("other.test")));
        try (var configured =
                town.registries(Town.config(Map.of(), sources, Map.of(), "registry.test", "other.test"))) {
            configured.resolve(reference, Platform.ofThisMachine(), SECRET);
        }

        assertThat(other().shown("authorization")).hasSize(1);
    }

    @Test
    void exchangesIdentityTokenByForm() {
        other().on("/token", fixed(200, text("{\"access_token\":\"t3\"}")));
        registry.on("/app/", bearing("t3", "http://cdn.registry.test:" + registry.port() + "/token", image));

        resolve(new Credentials.IdentityToken("lasting"));

        var asked = other().seen().getFirst();
        assertThat(asked.method()).isEqualTo("POST");
        assertThat(asked.body()).contains("grant_type=refresh_token", "refresh_token=lasting");
        assertThat(asked.target()).doesNotContain("lasting");
    }

    @Test
    void takesNoTokenThatSmugglesHeaders() {
        registry.on("/token", fixed(200, text("{\"token\":\"x\\r\\nHost: evil\"}")));
        registry.on("/manifests/", challenge("/token"));

        assertThatThrownBy(() -> resolve(SECRET))
                .hasMessageContaining("no token")
                .hasMessageNotContaining("evil");
    }

    @Test
    void sendsNoUploadElsewhere() {
        registry.on("/blobs/", status(404))
                .on("/blobs/uploads/", status(202, "Location: http://other.test:" + registry.port() + "/upload"));

        assertThatThrownBy(() -> registries.push(reference, image.manifest(), image, Set.of(), SECRET, _ -> {}))
                .hasMessageContaining("elsewhere");
        assertNobodyReached();
    }

    @Test
    void showsNoSecretInAnyMessage() {
        registry.on("/manifests/", needing("Basic realm=x", status(401)));

        assertThatThrownBy(() -> resolve(SECRET))
                .hasMessageNotContaining("s3cret")
                .hasMessageNotContaining("YWxpY2U")
                .extracting(e -> ((ImageException) e).problem())
                .isEqualTo(ImageProblem.UNAUTHORIZED);
        assertThat(SECRET.toString()).doesNotContain("s3cret");
    }

    @Test
    void leavesHttpsForNothing(@TempDir Path directory) throws Exception {
        var certificates = Certificates.make(directory, "registry.test", "dns:registry.test");
        try (var secure = new LyingRegistry(Town.PUBLIC, 0, certificates.server());
                var strict = town.registries(Town.config(
                        Map.of("registry.test", certificates.pem()), CredentialSources.NONE, Map.of(), "other.test"))) {
            secure.serve("app", "latest", image);
            var named = new ImageReference("registry.test:" + secure.port() + "/app");
            assertThat(strict.resolve(named, Platform.ofThisMachine(), null).content())
                    .isEqualTo(image.content());

            secure.on("/blobs/", redirect("http://other.test"));
            assertRefused(() -> strict.blob(named, layer(), null).close());
            secure.on("/manifests/", challenge("http://other.test:" + registry.port() + "/token"));
            assertRefused(() -> strict.resolve(named, Platform.ofThisMachine(), SECRET));
            assertNobodyReached();
        }
    }

    /// Without TLS nobody knows who answers: only for this machine, and for what is configured.
    @Test
    void speaksNoPlainHttpToRegistryElsewhere() {
        try (var strict = town.registries(Town.config())) {
            assertThatThrownBy(() -> strict.resolve(reference, Platform.ofThisMachine(), SECRET))
                    .extracting(e -> ((ImageException) e).problem())
                    .isEqualTo(ImageProblem.UNAVAILABLE);
        }
        assertThat(registry.seen()).isEmpty();
    }

    @Test
    void believesNoCertificateForAnotherName(@TempDir Path directory) throws Exception {
        var certificates = Certificates.make(directory, "elsewhere.test", "dns:elsewhere.test,ip:" + Town.PUBLIC);
        try (var secure = new LyingRegistry(Town.PUBLIC, 0, certificates.server());
                var strict = town.registries(
                        Town.config(Map.of("registry.test", certificates.pem()), CredentialSources.NONE, Map.of()))) {
            secure.serve("app", "latest", image);

            assertThatThrownBy(() -> strict.resolve(
                            new ImageReference("registry.test:" + secure.port() + "/app"),
                            Platform.ofThisMachine(),
                            SECRET))
                    .hasMessageContaining("TLS");
            assertThat(secure.seen()).isEmpty();
        }
    }

    @Test
    void localhostIsThisMachineOrNothing() {
        var lying = new Town().name("localhost", Town.OTHER_PUBLIC);
        try (var plain = lying.registries(Town.config())) {
            assertRefused(() -> plain.resolve(
                    new ImageReference("localhost:" + registry.port() + "/app"), Platform.ofThisMachine(), SECRET));
        }
        assertThat(other().connections()).isZero();
    }

    @Test
    void asksMirrorsWithoutTheRegistrysCredentials() throws IOException {
        other().serve("app", "latest", image);
        var config = Town.config(
                Map.of(),
                CredentialSources.NONE,
                Map.of("registry.test:" + registry.port(), List.of("other.test:" + registry.port())),
                "registry.test",
                "other.test");
        try (var mirrored = town.registries(config)) {
            mirrored.resolve(reference, Platform.ofThisMachine(), SECRET);
        }

        assertThat(other().shown("authorization")).isEmpty();
        assertThat(other().seen()).anyMatch(one -> one.target().endsWith("?ns=registry.test:" + registry.port()));
        assertThat(registry.seen()).isEmpty();
    }

    private LyingRegistry.Answer redirect(String place) {
        return status(307, "Location: " + place + ":" + registry.port() + "/redirected");
    }

    private static LyingRegistry.Answer challenge(String realm) {
        return status(401, "WWW-Authenticate: Bearer realm=\"" + realm + "\",service=\"s\"");
    }

    private static LyingRegistry.Answer needing(String challenge, LyingRegistry.Answer then) {
        return (asked, out) -> (asked.headers().containsKey("authorization")
                        ? then
                        : status(401, "WWW-Authenticate: " + challenge))
                .to(asked, out);
    }

    private static LyingRegistry.Answer bearing(String token, String realm, SmallImage image) {
        return (asked, out) -> {
            if (!("Bearer " + token).equals(asked.headers().get("authorization"))) {
                challenge(realm).to(asked, out);
            } else if (asked.target().contains("/manifests/")) {
                fixed(200, image.manifest()).to(asked, out);
            } else {
                var bytes = image.blobs().entrySet().stream()
                        .filter(one -> asked.target().contains(one.getKey().hex()))
                        .findFirst()
                        .orElseThrow();
                fixed(200, bytes.getValue()).to(asked, out);
            }
        };
    }

    private Descriptor foreign(String url) {
        registry.on("/blobs/", status(404));
        return new Descriptor(
                "application/vnd.docker.image.rootfs.foreign.diff.tar",
                layer().digest(),
                layer().size(),
                null,
                Map.of(),
                List.of(url));
    }

    private Descriptor layer() {
        return image.content().layers().getFirst();
    }

    private void resolve(Credentials credentials) {
        registries.resolve(reference, Platform.ofThisMachine(), credentials);
    }

    private void readLayer() throws IOException {
        read(layer());
    }

    private void read(Descriptor layer) throws IOException {
        try (var in = registries.blob(reference, layer, null)) {
            assertThat(in.readAllBytes()).isEqualTo(image.layer(0));
        }
    }

    /// The trap at this machine, in the private network, at metadata, at another public host.
    private LyingRegistry trap(int index) {
        return traps.get(index);
    }

    private LyingRegistry other() {
        return trap(3);
    }

    private void assertNobodyReached() {
        assertThat(traps).allMatch(trap -> trap.connections() == 0);
    }

    private static void assertRefused(org.assertj.core.api.ThrowableAssert.ThrowingCallable action) {
        assertThatThrownBy(action)
                .isInstanceOf(ImageException.class)
                .hasMessageMatching("(?s).*(refused|refers|redirects).*")
                .extracting(e -> ((ImageException) e).problem())
                .isEqualTo(ImageProblem.INVALID);
    }
}
