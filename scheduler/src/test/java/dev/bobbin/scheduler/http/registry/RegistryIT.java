package dev.bobbin.scheduler.http.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.bobbin.image.Digest;
import dev.bobbin.image.TestImages;
import dev.bobbin.image.store.TestRegistry;
import dev.bobbin.scheduler.admission.AdmissionConfig;
import dev.bobbin.scheduler.http.ImageCalls;
import dev.bobbin.scheduler.http.TestServer;
import dev.bobbin.scheduler.tenant.Callers;
import dev.bobbin.scheduler.tenant.Scope;
import dev.bobbin.scheduler.tenant.Tenant;
import dev.bobbin.scheduler.tenant.Token;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The store as a registry, read by real clients.
@Timeout(60)
final class RegistryIT {
    private static final String BASIC =
            "Basic " + Base64.getEncoder().encodeToString("whoever:anna".getBytes(StandardCharsets.UTF_8));

    @TempDir
    private Path directory = Path.of("");

    private TestServer server;
    private ImageCalls anna;
    private Digest manifest;

    @BeforeEach
    void open() throws Exception {
        var token = Token.of("anna", "anna", Tenant.DEFAULT, EnumSet.of(Scope.READ, Scope.RUN));
        open(new Callers(List.of(token)));
    }

    private void open(Callers callers) throws Exception {
        server = TestServer.open(AdmissionConfig.DEFAULT, callers);
        anna = new ImageCalls(server, callers.needToken() ? "anna" : "");
        var layout = Files.createDirectories(directory.resolve("layout" + callers.needToken()));
        manifest = TestImages.layout(
                layout, "lab.example:5000/demo/one:1", TestImages.config("/bin/true"), List.of(TestImages.busybox()));
        var archive = directory.resolve("one" + callers.needToken() + ".tar");
        TestRegistry.run(
                "tar", "-C", layout.toString(), "-cf", archive.toString(), "index.json", "oci-layout", "blobs");
        var loaded = anna.load(archive, "");
        assertThat(loaded.body()).contains("\"name\":\"lab.example:5000/demo/one:1\"");
    }

    @AfterEach
    void close() throws Exception {
        anna.close();
        server.close();
    }

    private String name() {
        return "docker://127.0.0.1:" + server.http.port() + "/demo/one:1";
    }

    @Test
    void skopeoCopiesWithAToken() throws Exception {
        TestRegistry.run(
                "skopeo",
                "--insecure-policy",
                "copy",
                "--src-tls-verify=false",
                "--src-creds",
                "whoever:anna",
                name(),
                "oci:" + directory.resolve("copy") + ":one");

        assertThat(Files.readString(directory.resolve("copy/index.json"))).contains(manifest.text());
        assertThat(catchThrowable(() -> TestRegistry.skopeo(name(), "oci:" + directory.resolve("other") + ":one")))
                .hasMessageContaining("unauthorized");
    }

    @Test
    void skopeoCopiesWhereNobodyNeedsAToken() throws Exception {
        close();
        open(Callers.anybody());

        TestRegistry.skopeo(name(), "oci:" + directory.resolve("copy") + ":one");

        assertThat(Files.readString(directory.resolve("copy/index.json"))).contains(manifest.text());
    }

    @Test
    void podmanPulls() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/podman")), "podman is not installed");
        var podman = List.of(
                "podman",
                "--root",
                directory.resolve("podman").toString(),
                "--runroot",
                directory.resolve("podman-run").toString(),
                "--storage-driver",
                "vfs");
        var pull = new ArrayList<>(podman);
        pull.addAll(List.of("pull", "-q", "--tls-verify=false", "--creds", "whoever:anna", name()));

        assertThat(TestRegistry.run(pull.toArray(String[]::new))).containsPattern("[0-9a-f]{64}");
    }

    @Test
    void asksForAPasswordInItsOwnWords() throws Exception {
        try (var nobody = new ImageCalls(server, "")) {
            var answer = nobody.get("/v2/");
            assertThat(answer.statusCode()).isEqualTo(401);
            assertThat(answer.headers().firstValue("WWW-Authenticate"))
                    .hasValueSatisfying(value -> assertThat(value).startsWith("Basic realm="));
            assertThat(answer.body()).startsWith("{\"errors\":[{\"code\":\"UNAUTHORIZED\"");
            assertThat(nobody.get("/v2/", "Authorization", BASIC).statusCode()).isEqualTo(200);
            assertThat(nobody.get("/v2/", "Authorization", "Basic !").statusCode())
                    .isEqualTo(401);
            // elsewhere a browser's stored password opens nothing
            assertThat(nobody.get("/v1/images", "Authorization", BASIC).statusCode())
                    .isEqualTo(401);
        }
    }

    @Test
    void answersHeadWithoutABody() throws Exception {
        try (var client = server.client()) {
            for (var path : List.of("/v2/demo/one/manifests/1", "/v2/demo/one/manifests/2", "/v2/x/blobs/" + layer())) {
                client.send(TestServer.head("HEAD", path, "X-API-Key: anna") + "\r\n");
                var status = client.line();
                var headers = client.headers();
                assertThat(status).contains(path.endsWith("2") ? " 404 " : " 200 ");
                if (status.contains(" 200 ")) {
                    assertThat(Long.parseLong(headers.getOrDefault("content-length", "0")))
                            .isPositive();
                }
                // the next answer stands where this one has no body
                assertThat(client.exchange(TestServer.head("GET", "/v2/", "X-API-Key: anna") + "\r\n")
                                .text())
                        .isEqualTo("{}");
            }
        }
    }

    @Test
    void sendsManifestsAsTheyWere() throws Exception {
        var byTag = anna.get("/v2/demo/one/manifests/1");
        var byDigest = anna.get("/v2/demo/one/manifests/" + manifest);

        assertThat(byTag.headers().firstValue("Docker-Content-Digest")).contains(manifest.text());
        assertThat(byTag.headers().firstValue("Content-Type")).contains("application/vnd.oci.image.manifest.v1+json");
        assertThat(Digest.sha256(byTag.body())).isEqualTo(manifest);
        assertThat(byDigest.body()).isEqualTo(byTag.body());
        assertThat(anna.get("/v2/demo/one/tags/list").body()).isEqualTo("{\"name\":\"demo/one\",\"tags\":[\"1\"]}");
        assertThat(anna.get("/v2/demo/one/referrers/" + manifest).body()).contains("\"manifests\":[]");
    }

    @Test
    void sendsPartsOfBlobs() throws Exception {
        var path = "/v2/demo/one/blobs/" + layer();
        var size = Long.parseLong(
                anna.get(path).headers().firstValue("Content-Length").orElseThrow());

        var part = anna.get(path, "Range", "bytes=2-4");

        assertThat(part.statusCode()).isEqualTo(206);
        assertThat(part.headers().firstValue("Content-Range")).contains("bytes 2-4/" + size);
        assertThat(part.headers().firstValue("Content-Length")).contains("3");
        var none = anna.get(path, "Range", "bytes=" + size + "-");
        assertThat(none.statusCode()).isEqualTo(416);
        assertThat(none.headers().firstValue("Content-Range")).contains("bytes */" + size);
    }

    @Test
    void refusesInTheEnvelopeOfTheSpecification() throws Exception {
        assertError("GET", "/v2/demo/none/manifests/1", 404, "MANIFEST_UNKNOWN");
        assertError("GET", "/v2/demo/one/manifests/2", 404, "MANIFEST_UNKNOWN");
        assertError("GET", "/v2/demo/one/blobs/sha256:" + "0".repeat(64), 404, "BLOB_UNKNOWN");
        assertError("GET", "/v2/demo/one/blobs/sha256:..", 400, "DIGEST_INVALID");
        assertError("GET", "/v2/demo/none/tags/list", 404, "NAME_UNKNOWN");
        assertError("GET", "/v2/anything/else", 404, "NAME_UNKNOWN");
        for (var method : List.of("PUT", "POST", "PATCH", "DELETE")) {
            assertError(method, "/v2/demo/one/manifests/1", 405, "UNSUPPORTED");
        }
    }

    @Test
    void findsImagesOfDockerHubUnderBothOfTheirNames() throws Exception {
        for (var name : List.of("demo:1", "docker.io/library/other:1")) {
            var tag = "{\"image\":\"lab.example:5000/demo/one:1\",\"name\":\"" + name + "\"}";
            assertThat(anna.post("/v1/images/tag", tag).statusCode()).isEqualTo(201);
        }

        for (var repository : List.of("demo", "library/demo", "other", "library/other")) {
            assertThat(anna.get("/v2/" + repository + "/manifests/1").statusCode())
                    .as(repository)
                    .isEqualTo(200);
            assertThat(anna.get("/v2/" + repository + "/tags/list").body()).contains("\"tags\":[\"1\"]");
        }
        assertThat(anna.get("/v2/one/manifests/1").statusCode()).isEqualTo(404);
    }

    @Test
    void namesTheCandidatesOfAnAmbiguousName() throws Exception {
        var tag = "{\"image\":\"lab.example:5000/demo/one:1\",\"name\":\"other.example/demo/one:1\"}";
        assertThat(anna.post("/v1/images/tag", tag).statusCode()).isEqualTo(201);

        var answer = anna.get("/v2/demo/one/manifests/1");

        assertThat(answer.statusCode()).isEqualTo(404);
        assertThat(answer.body()).contains("lab.example:5000", "other.example", "?ns=");
        assertThat(anna.get("/v2/demo/one/manifests/1?ns=other.example").statusCode())
                .isEqualTo(200);
        assertThat(anna.get("/v2/demo/one/manifests/1?ns=third.example").statusCode())
                .isEqualTo(404);
    }

    private void assertError(String method, String path, int status, String code) throws Exception {
        try (var client = server.client()) {
            var answer = client.exchange(TestServer.head(method, path, "X-API-Key: anna") + "\r\n");
            assertThat(answer.status()).as(method + " " + path).isEqualTo(status);
            assertThat(answer.text()).startsWith("{\"errors\":[{\"code\":\"" + code + "\",\"message\":\"");
        }
    }

    private String layer() throws Exception {
        return anna.get("/v1/images/lab.example:5000/demo/one:1")
                .body()
                .replaceAll(".*\"layers\":\\[\\{\"digest\":\"([^\"]*)\".*", "$1");
    }
}
