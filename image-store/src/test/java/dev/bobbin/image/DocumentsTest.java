package dev.bobbin.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DocumentsTest {
    private static final Digest DIGEST = Digest.sha256("x");
    private static final ImageManifest MANIFEST = new ImageManifest(
            MediaTypes.OCI_MANIFEST,
            new Descriptor(MediaTypes.OCI_CONFIG, DIGEST, 10),
            List.of(new Descriptor(MediaTypes.OCI_LAYER_GZIP, DIGEST, 5)),
            Map.of("a", "b"));

    @Test
    void manifestsAreReadAsTheyWereWritten() {
        assertThat(ImageManifest.parse(MANIFEST.bytes(), MediaTypes.OCI_MANIFEST))
                .isEqualTo(MANIFEST);
    }

    @Test
    void refusesWhatCouldBeReadAsTwoKinds() {
        var both = text(MANIFEST.bytes()).replaceFirst("\\{", "{\"manifests\":[],");
        assertInvalid(both, MediaTypes.OCI_MANIFEST);
        var index = "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}";
        assertThatThrownBy(() -> ImageIndex.parse(bytes(index), MediaTypes.OCI_INDEX))
                .isInstanceOf(ImageException.class)
                .hasMessageContaining("something else");
    }

    @Test
    void refusesAnotherKindThanWasSent() {
        assertInvalid(text(MANIFEST.bytes()), MediaTypes.DOCKER_MANIFEST);
        assertThatThrownBy(() -> ImageManifest.parse(MANIFEST.bytes(), "text/plain"))
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.problem()).isEqualTo(ImageProblem.UNSUPPORTED));
    }

    @Test
    void refusesDocumentsThatMeanNothingOrTooMuch() {
        var good = text(MANIFEST.bytes());
        for (var bad : List.of(
                "",
                "null",
                "[]",
                good + "x",
                good.replace("\"schemaVersion\":2", "\"schemaVersion\":2,\"schemaVersion\":2"),
                good.replace("\"schemaVersion\":2,", ""),
                good.replace("\"size\":10", "\"size\":-1"),
                good.replace("\"size\":10", "\"size\":1e400"),
                good.replace("\"size\":10", "\"size\":\"10\""),
                good.replace(DIGEST.text(), "sha256:../../etc/passwd"),
                "{\"a\":".repeat(5_000) + "1" + "}".repeat(5_000),
                " ".repeat(ImageManifest.LONGEST) + good)) {
            assertInvalid(bad, MediaTypes.OCI_MANIFEST);
        }
    }

    @Test
    void choosesTheManifestOfThePlatform() {
        var amd64 = new Platform("linux", "x86_64", "");
        var manifest = new Descriptor(MediaTypes.OCI_MANIFEST, DIGEST, 1);
        var index = new ImageIndex(
                MediaTypes.OCI_INDEX,
                List.of(
                        manifest.withPlatform(new Platform("linux", "arm64", "v8")),
                        manifest.withPlatform(new Platform("linux", "386", "")),
                        manifest.withPlatform(new Platform("linux", "amd64", "v3")),
                        manifest.withPlatform(amd64),
                        manifest.withPlatform(new Platform("windows", "amd64", ""))),
                Map.of());
        var read = ImageIndex.parse(index.bytes(), MediaTypes.OCI_INDEX);
        assertThat(read.select(amd64).orElseThrow().platform()).isEqualTo(amd64);
        assertThat(read.select(Platform.parse("linux/arm64")).orElseThrow().platform())
                .isEqualTo(Platform.parse("linux/arm64"));
        assertThat(read.select(Platform.parse("linux/riscv64"))).isEmpty();
        assertThat(Platform.parse("linux/arm64").matches(Platform.parse("linux/arm/v6")))
                .isTrue();
        assertThat(Platform.parse("linux/arm/v6").matches(Platform.parse("linux/arm")))
                .isFalse();
    }

    @Test
    void readsConfigurations() {
        var config = ImageConfig.parse(bytes("""
                {"created":"2024-01-02T03:04:05.123456789+01:00","architecture":"amd64","os":"linux",
                 "config":{"User":"app:web","Env":["PATH=/bin","SECRET=hunter2","EMPTY","=x"],"Entrypoint":["/e"],
                   "Cmd":null,"WorkingDir":"srv","StopSignal":"SIGINT","Volumes":{"/data":{}},
                   "ExposedPorts":{"80/tcp":{}},"Labels":{"a":"b"},"Healthcheck":{"Test":["CMD","true"]}},
                 "rootfs":{"type":"layers","diff_ids":["%s"]},"history":[{"created_by":"x","empty_layer":true}]}
                """.formatted(DIGEST)));
        assertThat(config.environment())
                .containsExactly(Map.entry("PATH", "/bin"), Map.entry("SECRET", "hunter2"), Map.entry("EMPTY", ""));
        assertThat(config.user()).isEqualTo("app:web");
        assertThat(config.workdir()).isEqualTo("/srv");
        assertThat(config.command()).isEmpty();
        assertThat(config.stopSignal()).isEqualTo("SIGINT");
        assertThat(config.origin().diffIds()).containsExactly(DIGEST);
        assertThat(config.toString()).contains("SECRET").doesNotContain("hunter2");
        assertThat(ImageConfig.parse(config.bytes())).isEqualTo(config);
    }

    @Test
    void readsTheLeastThatAConfigurationCanBe() {
        var config = ImageConfig.parse(bytes("{}"));
        assertThat(config.user()).isEqualTo("root");
        assertThat(config.workdir()).isEqualTo("/");
        assertThat(config.environment()).isEmpty();
    }

    private static void assertInvalid(String document, String mediaType) {
        assertThatThrownBy(() -> ImageManifest.parse(bytes(document), mediaType))
                .as(document.length() > 500 ? document.substring(0, 500) : document)
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.problem()).isEqualTo(ImageProblem.INVALID));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
