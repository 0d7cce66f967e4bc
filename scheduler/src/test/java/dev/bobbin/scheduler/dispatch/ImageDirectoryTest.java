package dev.bobbin.scheduler.dispatch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.image.Credentials;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.registry.LyingRegistry;
import dev.bobbin.image.registry.RegistryConfig;
import dev.bobbin.image.registry.RegistryConfig.CredentialSources;
import dev.bobbin.image.store.ImageStore;
import dev.bobbin.image.store.PullPolicy;
import dev.bobbin.image.store.StoreConfig;
import dev.bobbin.scheduler.dispatch.ImageDirectory.Whose;
import dev.bobbin.scheduler.tenant.Caller;
import dev.bobbin.scheduler.tenant.Scope;
import dev.bobbin.scheduler.tenant.Tenant;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ImageDirectoryTest {
    private static final Caller TENANT = new Caller(new Tenant("anna"), Set.of(Scope.READ, Scope.RUN));
    private static final Caller ADMINISTRATOR = new Caller(new Tenant("anna"), Set.of(Scope.ADMIN));

    @TempDir
    private Path directory = Path.of("");

    @Test
    void showsTheServersOwnCredentialsForAdministratorsOnly() throws Exception {
        try (var registry = LyingRegistry.at("127.0.0.1")) {
            registry.on("/v2/", LyingRegistry.status(401, "WWW-Authenticate: Basic realm=\"x\""));
            try (var store = store(registry)) {
                var images = new ImageDirectory(store);
                var name = new ImageReference("127.0.0.1:" + registry.port() + "/private:1");

                assertRefused(images, name, null, TENANT);
                assertRefused(images, name, null, Caller.ANYBODY);
                assertThat(registry.shown("authorization")).isEmpty();

                assertRefused(images, name, new Credentials.Password("anna", "hers"), TENANT);
                assertThat(registry.shown("authorization")).isNotEmpty().containsOnly(basic("anna:hers"));

                assertRefused(images, name, null, ADMINISTRATOR);
                assertThat(registry.shown("authorization")).contains(basic("server:own"));
            }
        }
    }

    private static void assertRefused(
            ImageDirectory images, ImageReference name, @Nullable Credentials credentials, Caller caller) {
        assertThatThrownBy(
                        () -> images.pull(name, PullPolicy.ALWAYS, null, credentials, caller, Whose.CALLERS, _ -> {}))
                .isInstanceOf(ImageException.class);
    }

    private ImageStore store(LyingRegistry registry) throws Exception {
        var secret = Base64.getEncoder().encodeToString("server:own".getBytes(StandardCharsets.UTF_8));
        var file = Files.writeString(
                directory.resolve("auth.json"),
                "{\"auths\":{\"127.0.0.1:" + registry.port() + "\":{\"auth\":\"" + secret + "\"}}}");
        var sources = new CredentialSources(List.of(file), List.of(), Map.of());
        return ImageStore.open(
                directory.resolve("store"),
                StoreConfig.DEFAULT
                        .withHostImage(false)
                        .withRegistries(RegistryConfig.defaults().withCredentials(sources)),
                new SimpleMeterRegistry());
    }

    private static String basic(String pair) {
        return "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
    }
}
