package dev.bobbin.scheduler.http.minibox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.TestImages;
import dev.bobbin.image.Tools;
import dev.bobbin.image.store.TestRegistry;
import dev.bobbin.scheduler.admission.AdmissionConfig;
import dev.bobbin.scheduler.http.TestServer;
import dev.bobbin.scheduler.tenant.Callers;
import dev.bobbin.scheduler.tenant.Scope;
import dev.bobbin.scheduler.tenant.Tenant;
import dev.bobbin.scheduler.tenant.Token;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What clients of minibox send and are answered, as its contract has it.
final class TranscriptsIT {
    private static final String OWNER = Tenant.DEFAULT.name();

    @Test
    void wantsTheTokenInAnyOfThreeHeaders() throws IOException {
        var token = Token.of("minibox", "secret", Tenant.DEFAULT, Set.of(Scope.READ, Scope.RUN));
        try (var server = TestServer.open(AdmissionConfig.DEFAULT, new Callers(List.of(token)))) {
            new Transcript("token.http").replay(server);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "paths.http",
                "wrong-requests.http",
                "containers.http",
                "foreground.http",
                "exec.http",
                "compose.http",
            })
    void answersAsItsClientsExpect(String file) throws IOException {
        try (var server = TestServer.open()) {
            images(server);
            new Transcript(file).replay(server);
        }
    }

    @Test
    void keepsImages() throws IOException {
        try (var server = TestServer.open()) {
            image(server, "bb", TestImages.config("sh"));
            new Transcript("images.http").replay(server);
        }
    }

    @Test
    void buildsImages(@TempDir Path directory) throws IOException {
        Files.writeString(directory.resolve("letter"), "Dear reader\n");
        try (var server = TestServer.open()) {
            images(server);
            new Transcript("build.http").with("directory", directory.toString()).replay(server);
            server.host.runtime().builds().prune(Duration.ZERO);
        }
    }

    @Test
    void pullsImages(@TempDir Path directory) throws Exception {
        Tools.require("docker-registry", "skopeo");
        try (var registry = TestRegistry.start(directory.resolve("registry"));
                var server = TestServer.open()) {
            var layout = Files.createDirectories(directory.resolve("layout"));
            TestImages.layout(layout, "one", TestImages.config("sh"), List.of(TestImages.busybox()));
            TestRegistry.skopeo("oci:" + layout + ":one", "docker://" + registry.host() + "/demo/one:1");
            new Transcript("pull.http").with("registry", registry.host()).replay(server);
        }
    }

    @Test
    void keepsImagesInFiles(@TempDir Path directory) throws IOException {
        Files.writeString(directory.resolve("letter"), "Dear reader");
        Files.createSymbolicLink(directory.resolve("out"), Path.of("/etc"));
        Files.createSymbolicLink(directory.resolve("leads-out"), Path.of("/etc/passwd"));
        try (var server = TestServer.open()) {
            image(server, "bb", TestImages.config("sh"));
            new Transcript("archives.http")
                    .with("directory", directory.toString())
                    .with("data", server.host.dataDir().toString())
                    .replay(server);
        }
        try (var files = Files.list(directory)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("bb.tar", "letter", "out", "leads-out");
        }
        assertThat(directory.resolve("letter")).hasContent("Dear reader");
    }

    private static void images(TestServer server) {
        image(server, "bb", TestImages.config("sh"));
        image(server, "mute", TestImages.config());
        image(server, "speaker", new ImageConfig(Map.of(), List.of("echo", "says"), List.of("hello"), "root", "/"));
    }

    static void image(TestServer server, String name, ImageConfig config) {
        server.host
                .images()
                .commit(
                        OWNER,
                        new ImageReference(name),
                        null,
                        config,
                        List.of(TestImages.stream(TestImages.busybox())));
    }
}
