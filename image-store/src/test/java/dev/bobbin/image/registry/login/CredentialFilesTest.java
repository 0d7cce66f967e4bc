package dev.bobbin.image.registry.login;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.image.Credentials;
import dev.bobbin.image.ImageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CredentialFilesTest {
    private static final String ALICE = "YWxpY2U6czNjcmV0"; // alice:s3cret
    private static final Credentials FOUND = new Credentials.Password("alice", "s3cret");

    @TempDir
    private Path directory;

    @Test
    void readsWhatDockerWrites() throws IOException {
        var files = files("""
                {"auths": {"https://index.docker.io/v1/": {"auth": "%s"}, "registry.test:5000": {"auth": "%s"},
                  "https://v2.test/v2/": {"auth": "%s"}}, "HttpHeaders": {}}""".formatted(ALICE, ALICE, ALICE));

        assertThat(files.find("docker.io", "library/busybox")).contains(FOUND);
        assertThat(files.find("registry.test:5000", "app")).contains(FOUND);
        assertThat(files.find("v2.test", "app")).contains(FOUND);
        assertThat(files.find("registry.test", "app")).isEmpty();
        assertThat(files.find("est", "app")).isEmpty();
    }

    @Test
    void prefersLongestPathAsPodmanDoes() throws IOException {
        var files = files("""
                {"auths": {"registry.test": {"auth": "%s"}, "registry.test/team": {"username": "b", "password": "x"},
                  "registry.test/team/app": {"identitytoken": "t"}, "registry.test/raw": {"registrytoken": "r"}}}""".formatted(ALICE));

        assertThat(files.find("registry.test", "team/app")).contains(new Credentials.IdentityToken("t"));
        assertThat(files.find("registry.test", "team/other")).contains(new Credentials.Password("b", "x"));
        assertThat(files.find("registry.test", "teams/app")).contains(FOUND);
        assertThat(files.find("registry.test", "raw")).contains(new Credentials.RegistryToken("r"));
    }

    @Test
    void firstFileThatKnowsCounts() throws IOException {
        var first = Files.writeString(directory.resolve("auth.json"), "{\"auths\": {\"a.test\": {}}}");
        var second = Files.writeString(
                directory.resolve("config.json"), "{\"auths\": {\"a.test\": {\"auth\": \"" + ALICE + "\"}}}");
        var absent = directory.resolve("absent.json");

        assertThat(new CredentialFiles(List.of(absent, first, second), List.of()).find("a.test", "x"))
                .contains(FOUND);
        assertThat(new CredentialFiles(List.of(), List.of()).find("a.test", "x"))
                .isEmpty();
    }

    @Test
    void namesDamagedFileAndNothingOfIt() throws IOException {
        for (var text : List.of(
                "{\"auths\": {\"a.test\": {\"auth\": \"c2VjcmV0\"}}}",
                "{\"auths\": {\"s3cret\"",
                "[]",
                "{\"auths\": {\"a.test\": {\"username\": \"a:b\", \"password\": \"s3cret\"}}}",
                "{\"auths\": {\"a.test\": {\"registrytoken\": \"s3cret\\nx\"}}}")) {
            var files = files(text);

            assertThatThrownBy(() -> files.find("a.test", "x"))
                    .isInstanceOf(ImageException.class)
                    .hasMessageContaining("config.json")
                    .hasMessageNotContaining("s3cret")
                    .hasMessageNotContaining("c2VjcmV0");
        }
    }

    @Test
    void asksHelperPrograms() throws IOException {
        program("docker-credential-good", """
                #!/bin/sh
                read registry
                [ "$1" = get ] && [ "$registry" = a.test ] || { echo "credentials not found in native keychain"; exit 1; }
                echo '{"ServerURL":"a.test","Username":"alice","Secret":"s3cret"}'
                """);
        program("docker-credential-token", "#!/bin/sh\necho '{\"Username\":\"<token>\",\"Secret\":\"t\"}'\n");
        var files = files("""
                {"credHelpers": {"a.test": "good", "b.test": "token"}, "credsStore": "good"}""");

        assertThat(files.find("a.test", "x")).contains(FOUND);
        assertThat(files.find("b.test", "x")).contains(new Credentials.IdentityToken("t"));
        assertThat(files.find("c.test", "x")).isEqualTo(Optional.empty());
    }

    @Test
    void boundsHelperPrograms() throws IOException {
        program("docker-credential-loud", "#!/bin/sh\nexec cat /dev/zero\n");
        program("docker-credential-bad", "#!/bin/sh\necho s3cret; exit 3\n");
        var files = files("""
                {"credHelpers": {"a.test": "loud", "b.test": "bad", "c.test": "../evil", "d.test": "absent"}}""");
        var before = System.nanoTime();

        for (var registry : List.of("a.test", "b.test", "c.test", "d.test")) {
            assertThatThrownBy(() -> files.find(registry, "x"))
                    .as(registry)
                    .isInstanceOf(ImageException.class)
                    .hasMessageNotContaining("s3cret");
        }
        assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(8));
    }

    private CredentialFiles files(String text) throws IOException {
        var file = Files.writeString(directory.resolve("config.json"), text);
        return new CredentialFiles(List.of(file), List.of(directory));
    }

    private void program(String name, String text) throws IOException {
        var file = Files.writeString(directory.resolve(name), text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
    }
}
