package dev.bobbin.scheduler.dispatch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.image.Credentials;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.registry.LyingRegistry;
import dev.bobbin.image.registry.RegistryConfig;
import dev.bobbin.image.registry.RegistryConfig.CredentialSources;
import dev.bobbin.image.store.ImageStore;
import dev.bobbin.image.store.PullPolicy;
import dev.bobbin.image.store.StoreConfig;
import dev.bobbin.scheduler.dispatch.ImageDirectory.Whose;
import dev.bobbin.scheduler.http.exchange.Problem;
import dev.bobbin.scheduler.tenant.Caller;
import dev.bobbin.scheduler.tenant.Scope;
import dev.bobbin.scheduler.tenant.Tenant;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
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

    @Test
    void letsATenantHaveSoManyImagesOnTheirWayAndNoMore() throws Exception {
        var come = new CountDownLatch(ImageDirectory.MOST_TRANSFERS);
        var go = new CountDownLatch(1);
        try (var registry = LyingRegistry.at("127.0.0.1")) {
            try (var store = store(registry);
                    var threads = Executors.newVirtualThreadPerTaskExecutor()) {
                var images = new ImageDirectory(store);
                for (var number = 0; number < ImageDirectory.MOST_TRANSFERS; number++) {
                    threads.execute(() -> assertThatThrownBy(() -> images.load(held(come, go), TENANT, Whose.CALLERS))
                            .as("an archive that is empty in the end")
                            .isInstanceOf(ImageException.class));
                }
                come.await();

                assertThatThrownBy(() -> images.load(InputStream.nullInputStream(), TENANT, Whose.CALLERS))
                        .isInstanceOfSatisfying(ImageException.class, e -> {
                            assertThat(e.problem()).isEqualTo(ImageProblem.BUSY);
                            assertThat(Problem.of(e).status()).isEqualTo(429);
                            assertThat(Problem.of(e).retryAfterSeconds()).isPositive();
                        });
                assertThatThrownBy(() -> images.load(InputStream.nullInputStream(), ADMINISTRATOR, Whose.EVERYBODYS))
                        .as("the same tenant")
                        .hasMessageContaining("on their way");
                assertThatThrownBy(() -> images.load(InputStream.nullInputStream(), Caller.ANYBODY, Whose.CALLERS))
                        .as("another tenant")
                        .isInstanceOfSatisfying(
                                ImageException.class,
                                e -> assertThat(e.problem()).isEqualTo(ImageProblem.INVALID));
                go.countDown();
            }
        }
    }

    /// An archive whose first byte does not come before `go`.
    private static InputStream held(CountDownLatch come, CountDownLatch go) {
        return new InputStream() {
            @Override
            public int read() {
                come.countDown();
                try {
                    go.await();
                } catch (InterruptedException _) {
                    Thread.currentThread().interrupt();
                }
                return -1;
            }

            @Override
            public int read(byte[] buffer, int offset, int length) {
                return read();
            }
        };
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
