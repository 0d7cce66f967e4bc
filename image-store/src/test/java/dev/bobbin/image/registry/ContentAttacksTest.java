package dev.bobbin.image.registry;

import static dev.bobbin.image.registry.LyingRegistry.fixed;
import static dev.bobbin.image.registry.LyingRegistry.head;
import static dev.bobbin.image.registry.LyingRegistry.status;
import static dev.bobbin.image.registry.LyingRegistry.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.image.Credentials;
import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.MediaTypes;
import dev.bobbin.image.Platform;
import java.io.IOException;
import java.util.Arrays;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// A registry that lies about what it sends.
final class ContentAttacksTest {
    private final SmallImage image = SmallImage.of(1, 300_000, 5_000);
    private LyingRegistry registry;
    private Registries registries;
    private ImageReference reference;

    @BeforeEach
    void start() throws IOException {
        registry = LyingRegistry.at(Town.LOOPBACK).serve("app", "latest", image);
        registries = new Town().registries(Town.config());
        reference = new ImageReference("127.0.0.1:" + registry.port() + "/app");
    }

    @AfterEach
    void stop() throws IOException {
        registries.close();
        registry.close();
    }

    @Test
    void takesAnHonestImage() throws IOException {
        var found = resolve();

        assertThat(found.content()).isEqualTo(image.content());
        assertThat(found.settings().command()).containsExactly("/bin/true");
        try (var in = registries.blob(reference, layer(), null)) {
            assertThat(in.readAllBytes()).isEqualTo(image.layer(0));
        }
    }

    @Test
    void refusesLayerOfWrongDigest() {
        var wrong = image.layer(0).clone();
        wrong[wrong.length - 1] ^= 1;
        registry.on("/blobs/" + layer().digest(), fixed(200, wrong));

        assertInvalid(
                this::readLayer, layer().digest().text(), Digest.sha256(wrong).text());
    }

    @Test
    void neverHandsOutLastByteOfWrongLayer() throws IOException {
        var wrong = image.layer(1).clone();
        wrong[0] ^= 1;
        var descriptor = image.content().layers().get(1);
        registry.on("/blobs/" + descriptor.digest(), fixed(200, wrong));

        try (var in = registries.blob(reference, descriptor, null)) {
            assertThat(in.readNBytes(wrong.length - 1)).hasSize(wrong.length - 1);
            assertThatThrownBy(in::read).isInstanceOf(ImageException.class);
            assertThatThrownBy(in::read).isInstanceOf(IOException.class);
        }
    }

    @Test
    void refusesLongerLayerBeforeItsFirstByte() {
        registry.on("/blobs/" + layer().digest(), fixed(200, Arrays.copyOf(image.layer(0), 300_001)));

        assertInvalid(() -> registries.blob(reference, layer(), null).close(), "300000", "300001");
    }

    @Test
    void refusesLongerLayerOfNoSaidLength() {
        registry.on("/blobs/" + layer().digest(), chunked(Arrays.copyOf(image.layer(0), 300_001)));

        assertInvalid(this::readLayer, "300000 bytes");
    }

    @Test
    void refusesShorterLayer() {
        registry.on("/blobs/" + layer().digest(), fixed(200, Arrays.copyOf(image.layer(0), 299_999)));
        assertInvalid(this::readLayer, "300000", "299999");

        registry.on("/blobs/" + layer().digest(), chunked(Arrays.copyOf(image.layer(0), 299_999)));
        assertInvalid(this::readLayer, "300000", "299999");
    }

    @Test
    void takesChunkedLayer() throws IOException {
        registry.on("/blobs/" + layer().digest(), chunked(image.layer(0)));

        try (var in = registries.blob(reference, layer(), null)) {
            assertThat(in.readAllBytes()).isEqualTo(image.layer(0));
        }
    }

    @Test
    void refusesManifestOfWrongDigest() {
        var asked = new ImageReference(reference.text() + "@" + Digest.sha256("other"));
        registry.on("/manifests/", fixed(200, image.manifest()));

        assertInvalid(
                () -> registries.resolve(asked, Platform.ofThisMachine(), null),
                Digest.sha256("other").text(),
                image.manifest().descriptor().digest().text());
    }

    @Test
    void refusesManifestUnderFalseHeader() {
        registry.on(
                "/manifests/latest",
                fixed(
                        200,
                        image.manifest().bytes(),
                        "Content-Type: " + MediaTypes.OCI_MANIFEST,
                        "Docker-Content-Digest: " + Digest.sha256("other")));

        assertInvalid(this::resolve, "announced");
    }

    @Test
    void refusesDigestWithPathCharacters() {
        for (var digest :
                new String[] {"sha256:../../../etc/passwd", "sha256:" + "A".repeat(64), "../x:" + "a".repeat(64)}) {
            var document = new String(image.manifest().bytes(), java.nio.charset.StandardCharsets.UTF_8)
                    .replace(layer().digest().text(), digest);
            registry.on("/manifests/latest", fixed(200, text(document), "Content-Type: " + MediaTypes.OCI_MANIFEST));

            assertInvalid(this::resolve, "digest");
        }
        assertThat(registry.count("GET", "passwd")).isZero();
    }

    @Test
    void refusesManifestThatIsAlsoAnIndex() {
        var both = text(new String(image.manifest().bytes(), java.nio.charset.StandardCharsets.UTF_8)
                .replaceFirst("\\{", "{\"manifests\":[],"));
        registry.on("/manifests/latest", fixed(200, both, "Content-Type: " + MediaTypes.OCI_MANIFEST));
        assertInvalid(this::resolve, "something else");

        registry.on("/manifests/latest", fixed(200, both, "Content-Type: " + MediaTypes.OCI_INDEX));
        assertInvalid(this::resolve, MediaTypes.OCI_INDEX);
    }

    @Test
    void refusesManifestUnderAnotherTypeThanItsOwn() {
        registry.on(
                "/manifests/latest",
                fixed(200, image.manifest().bytes(), "Content-Type: " + MediaTypes.DOCKER_MANIFEST));

        assertInvalid(this::resolve, MediaTypes.DOCKER_MANIFEST);
    }

    @Test
    void refusesHugeManifest() {
        registry.on("/manifests/latest", fixed(200, new byte[4 * 1024 * 1024 + 1]));
        assertInvalid(this::resolve, "longer");

        registry.on("/manifests/latest", (_, out) -> {
            out.write(text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
            for (var megabytes = 0; megabytes < 64; megabytes++) {
                out.write(text("100000\r\n"));
                out.write(new byte[1 << 20]);
                out.write(text("\r\n"));
            }
        });
        assertInvalid(this::resolve, "longer");
    }

    @Test
    void refusesHugeConfigurationUnread() {
        var config = new Descriptor(MediaTypes.OCI_CONFIG, Digest.sha256("x"), 1L << 40);
        var manifest = new dev.bobbin.image.ImageManifest(
                        MediaTypes.OCI_MANIFEST, config, image.content().layers(), java.util.Map.of())
                .bytes();
        registry.on("/manifests/latest", fixed(200, manifest, "Content-Type: " + MediaTypes.OCI_MANIFEST));

        assertInvalid(this::resolve, "configuration");
        assertThat(registry.count("GET", "/blobs/")).isZero();
    }

    @Test
    void refusesContentInAnEncodingNobodyAskedFor() {
        registry.on("/blobs/" + layer().digest(), fixed(200, image.layer(0), "Content-Encoding: gzip"));

        assertInvalid(this::readLayer, "encodes");
    }

    @Test
    void refusesAnotherRangeThanAskedFor() {
        registry.on("/blobs/" + layer().digest(), (asked, out) -> {
            if (asked.headers().containsKey("range")) {
                out.write(head(206, 200_000, "Content-Range: bytes 0-199999/300000"));
                out.write(image.layer(0), 0, 200_000);
                return;
            }
            out.write(head(200, 300_000));
            out.write(image.layer(0), 0, 100_000);
            out.flush();
            throw new IOException("break");
        });

        assertInvalid(this::readLayer, "another part");
    }

    @Test
    void takesPlatformOfThisMachineFromIndex() {
        var other = text("{}");
        var index = new dev.bobbin.image.ImageIndex(
                        MediaTypes.OCI_INDEX,
                        java.util.List.of(
                                LyingRegistry.described(MediaTypes.OCI_MANIFEST, other)
                                        .withPlatform(Platform.parse("linux/s390x")),
                                image.manifest().descriptor().withPlatform(Platform.ofThisMachine())),
                        java.util.Map.of())
                .bytes();
        registry.on("/manifests/latest", fixed(200, index, "Content-Type: " + MediaTypes.OCI_INDEX));

        var found = resolve();

        assertThat(found.manifest().descriptor().digest())
                .isEqualTo(image.manifest().descriptor().digest());
        assertThat(found.index()).isNotNull();
        assertThatThrownBy(() -> registries.resolve(reference, Platform.parse("linux/riscv64"), null))
                .hasMessageContaining("linux/riscv64")
                .hasMessageContaining("linux/s390x")
                .extracting(e -> ((ImageException) e).problem())
                .isEqualTo(ImageProblem.NOT_FOUND);
    }

    @Test
    void refusesManifestOfAnotherSizeThanIndexSays() {
        var manifest = image.manifest().descriptor();
        var index = new dev.bobbin.image.ImageIndex(
                        MediaTypes.OCI_INDEX,
                        java.util.List.of(new Descriptor(manifest.mediaType(), manifest.digest(), manifest.size() + 1)
                                .withPlatform(Platform.ofThisMachine())),
                        java.util.Map.of())
                .bytes();
        registry.on("/manifests/latest", fixed(200, index, "Content-Type: " + MediaTypes.OCI_INDEX));

        assertInvalid(this::resolve, Long.toString(manifest.size() + 1), Long.toString(manifest.size()));
    }

    @Test
    void tellsUnknownNameFromForbiddenOne() {
        registry.on("/manifests/latest", status(404));
        assertThatThrownBy(this::resolve)
                .extracting(e -> ((ImageException) e).problem())
                .isEqualTo(ImageProblem.NOT_FOUND);

        registry.on("/manifests/latest", status(403));
        assertThatThrownBy(this::resolve)
                .extracting(e -> ((ImageException) e).problem())
                .isEqualTo(ImageProblem.UNAUTHORIZED);
    }

    @Test
    void refusesToPushWhatRegistryKeepsDifferently() {
        registry.on("/blobs/uploads/", status(201))
                .on("/manifests/", status(201, "Docker-Content-Digest: " + Digest.sha256("x")));

        assertInvalid(
                () -> registries.push(
                        reference, image.manifest(), image, java.util.Set.of(), Credentials.ANONYMOUS, _ -> {}),
                "another manifest");
    }

    private Resolved resolve() {
        return registries.resolve(reference, Platform.ofThisMachine(), null);
    }

    private Descriptor layer() {
        return image.content().layers().getFirst();
    }

    private void readLayer() throws IOException {
        try (var in = registries.blob(reference, layer(), null)) {
            in.readAllBytes();
        }
    }

    private static LyingRegistry.Answer chunked(byte[] body) {
        return (_, out) -> {
            out.write(text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
            for (var at = 0; at < body.length; at += 70_000) {
                var length = Math.min(70_000, body.length - at);
                out.write(text(Integer.toHexString(length) + ";x=y\r\n"));
                out.write(body, at, length);
                out.write(text("\r\n"));
            }
            out.write(text("0\r\n\r\n"));
        };
    }

    private static void assertInvalid(ThrowingCallable action, String... words) {
        assertThatThrownBy(action)
                .isInstanceOf(ImageException.class)
                .hasMessageContainingAll(words)
                .extracting(e -> ((ImageException) e).problem())
                .isEqualTo(ImageProblem.INVALID);
    }
}
