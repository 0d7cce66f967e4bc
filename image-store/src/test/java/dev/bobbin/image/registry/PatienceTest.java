package dev.bobbin.image.registry;

import static dev.bobbin.image.registry.LyingRegistry.fixed;
import static dev.bobbin.image.registry.LyingRegistry.head;
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
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A registry that is slow, busy, broken or away.
@Timeout(60)
final class PatienceTest {
    private final SmallImage image = SmallImage.of(3, 3_000_000, 40_000);
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
    void resumesBrokenBlobByRange() throws IOException {
        registry.on("/blobs/" + layer().digest(), breaking(700_000, true));

        readLayer();

        assertThat(registry.shown("range"))
                .containsExactly("bytes=700000-", "bytes=1400000-", "bytes=2100000-", "bytes=2800000-");
    }

    @Test
    void resumesWhereRangesAreIgnored() throws IOException {
        var attempts = new AtomicInteger();
        registry.on("/blobs/" + layer().digest(), (_, out) -> {
            out.write(head(200, 3_000_000));
            var length = Math.min(3_000_000, 1_000_000 * attempts.incrementAndGet());
            out.write(image.layer(0), 0, length);
            if (length < 3_000_000) {
                out.flush();
                throw new IOException("break");
            }
        });

        readLayer();

        assertThat(attempts).hasValue(3);
    }

    @Test
    void givesUpOnBlobThatBreaksWithoutProgress() {
        registry.on("/blobs/" + layer().digest(), breaking(10, true));

        assertUnavailable(this::readLayer);
        assertThat(registry.count("GET", "/blobs/")).isBetween(3L, 6L);
    }

    @Test
    void resumesFromPartThatIsHere() throws IOException {
        var bytes = image.layer(0);
        var start = new ByteArrayInputStream(bytes, 0, 2_000_000);
        try (var in = registries.resume(reference, layer(), start, 2_000_000, null)) {
            assertThat(in.readAllBytes()).isEqualTo(Arrays.copyOfRange(bytes, 2_000_000, 3_000_000));
        }
        assertThat(registry.shown("range")).containsExactly("bytes=2000000-");

        assertThatThrownBy(() -> {
                    var damaged = new ByteArrayInputStream(new byte[2_000_000]);
                    try (var in = registries.resume(reference, layer(), damaged, 2_000_000, null)) {
                        in.readAllBytes();
                    }
                })
                .hasMessageContaining(layer().digest().text());
    }

    @Test
    void comesBackWhenAsked() {
        var attempts = new AtomicInteger();
        registry.on("/manifests/", (asked, out) -> {
            var answer = attempts.getAndIncrement() == 0 ? status(429, "Retry-After: 1") : fixed(200, image.manifest());
            answer.to(asked, out);
        });
        var before = System.nanoTime();

        resolve();

        assertThat(System.nanoTime() - before)
                .isGreaterThan(Duration.ofSeconds(1).toNanos());
        assertThat(attempts).hasValue(2);
    }

    @Test
    void doesNotWaitLongerThanAnAnswerMayTake() {
        registry.on("/manifests/", status(429, "Retry-After: 3600"));
        var before = System.nanoTime();

        assertUnavailable(this::resolve);

        assertThat(System.nanoTime() - before).isLessThan(Duration.ofSeconds(2).toNanos());
        assertThat(registry.count("GET", "/manifests/")).isEqualTo(1);
    }

    @Test
    void triesAgainAfterErrorsOfTheServer() throws IOException {
        var attempts = new AtomicInteger();
        registry.on("/blobs/" + layer().digest(), (asked, out) -> {
            var answer = attempts.incrementAndGet() < 4 ? status(503) : LyingRegistry.ranged(image.layer(0));
            answer.to(asked, out);
        });

        readLayer();

        assertThat(attempts).hasValue(4);
    }

    @Test
    void givesUpOnServerThatOnlyFails() {
        registry.on("/manifests/", status(500));

        assertUnavailable(this::resolve);

        assertThat(registry.count("GET", "/manifests/")).isEqualTo(4);
    }

    @Test
    void endsHeadThatTrickles() {
        registry.on("/manifests/", (_, out) -> trickle(out, text("HTTP/1.1 200 OK\r\nX-Long: " + "x".repeat(5_000))));

        assertUnavailable(this::resolve);
    }

    @Test
    void endsBlobThatTrickles() {
        registry.on("/blobs/", (_, out) -> {
            out.write(head(200, 3_000_000));
            trickle(out, image.layer(0));
        });

        assertUnavailable(this::readLayer);
    }

    @Test
    void endsBlobThatStalls() {
        registry.on("/blobs/", (_, out) -> {
            out.write(head(200, 3_000_000));
            out.flush();
            LockSupport.parkNanos(Duration.ofSeconds(20).toNanos());
        });

        assertUnavailable(this::readLayer);
    }

    @Test
    void endsServerThatSaysNothing() {
        registry.on("/", (_, _) -> LockSupport.parkNanos(Duration.ofSeconds(20).toNanos()));
        var before = System.nanoTime();

        assertUnavailable(this::resolve);

        assertThat(System.nanoTime() - before).isLessThan(Duration.ofSeconds(8).toNanos());
    }

    @Test
    void endsUploadThatNobodyTakes() {
        var big = SmallImage.of(9, 30_000_000);
        registry.on("/blobs/", status(404))
                .on("/blobs/uploads/", status(202, "Location: " + LyingRegistry.DEAF + "/1"));

        assertUnavailable(
                () -> registries.push(reference, big.manifest(), big, Set.of(), Credentials.ANONYMOUS, _ -> {}));
    }

    @Test
    void readsNoHeaderWithoutEnd() {
        registry.on("/manifests/", (_, out) -> {
            out.write(text("HTTP/1.1 200 OK\r\n"));
            for (var i = 0; i < 2_000_000; i++) {
                out.write(text("X-" + i + ": yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n"));
            }
        });

        assertUnavailable(this::resolve);
    }

    @Test
    void remembersRegistryThatDoesNotAnswer() throws IOException {
        registry.close();
        assertUnavailable(this::resolve);

        assertThatThrownBy(this::resolve).hasMessageContaining("a moment ago");
    }

    @Test
    void failsSoonWhereNoSuchHostIs() {
        assertUnavailable(
                () -> registries.resolve(new ImageReference("nowhere.test/app"), Platform.ofThisMachine(), null));
    }

    @Test
    void asksTheRegistryWhenAMirrorFails() throws IOException {
        try (var mirror = LyingRegistry.at(Town.LOOPBACK)) {
            for (var failing : List.of(status(404), status(500), status(401))) {
                mirror.on("/", failing);
                var config = Town.config(
                        Map.of(),
                        CredentialSources.NONE,
                        Map.of(reference.registry(), List.of("127.0.0.1:" + mirror.port())));
                try (var mirrored = new Town().registries(config)) {
                    assertThat(mirrored.resolve(reference, Platform.ofThisMachine(), null)
                                    .content())
                            .isEqualTo(image.content());
                }
            }
            assertThat(mirror.count("GET", "ns=")).isGreaterThanOrEqualTo(3);
        }
    }

    @Test
    void givesUpWhenInterrupted() throws Exception {
        registry.on(
                "/manifests/",
                (_, _) -> LockSupport.parkNanos(Duration.ofSeconds(20).toNanos()));
        var failure = new ArrayList<Throwable>();
        var puller = Thread.ofVirtual().start(() -> {
            try {
                resolve();
            } catch (RuntimeException e) {
                failure.add(e);
            }
        });
        while (registry.count("GET", "/manifests/") == 0) {
            LockSupport.parkNanos(1_000_000);
        }

        puller.interrupt();

        assertThat(puller.join(Duration.ofSeconds(2))).isTrue();
        assertThat(failure).singleElement().isInstanceOf(CancellationException.class);
        registry.on("/manifests/", fixed(200, image.manifest()));
        resolve();
    }

    @Test
    void asksNotMoreAtOnceThanConfigured() throws Exception {
        var present = new AtomicInteger();
        var most = new AtomicInteger();
        registry.on("/blobs/" + layer().digest(), (asked, out) -> {
            most.accumulateAndGet(present.incrementAndGet(), Math::max);
            LockSupport.parkNanos(Duration.ofMillis(30).toNanos());
            present.decrementAndGet();
            fixed(200, image.layer(0)).to(asked, out);
        });
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            var all = new ArrayList<java.util.concurrent.Future<?>>();
            for (var i = 0; i < 20; i++) {
                all.add(tasks.submit(() -> {
                    readLayer();
                    return null;
                }));
            }
            for (var one : all) {
                one.get(30, TimeUnit.SECONDS);
            }
        }

        assertThat(most.get()).isBetween(2, 4);
    }

    @Test
    void usesOneConnectionForManyQuestions() {
        for (var i = 0; i < 5; i++) {
            resolve();
        }

        // one that found that no TLS is spoken, one that carried the rest
        assertThat(registry.connections()).isEqualTo(2);
    }

    @Test
    void noticesConnectionThatWasClosedWhileIdle() {
        registry.on("/manifests/", (asked, out) -> {
            fixed(200, image.manifest()).to(asked, out);
            out.flush();
            throw new IOException("closed without a word");
        });

        for (var i = 0; i < 5; i++) {
            resolve();
        }
    }

    @Test
    void listsTagsPageByPage() {
        registry.on("/tags/list", fixed(200, text("{\"tags\":[\"a\",\"b\"]}"), "Link: </v2/app/more>; rel=\"next\""));
        registry.on("/v2/app/more", fixed(200, text("{\"tags\":[\"c\",\"../x\"]}")));

        assertThat(registries.tags(reference, null)).containsExactly("a", "b", "c");
    }

    @Test
    void endsTagsWithoutEnd() {
        registry.on("/tags/list", fixed(200, text("{\"tags\":[\"a\"]}"), "Link: </v2/app/tags/list?n=1>; rel=next"));

        assertThatThrownBy(() -> registries.tags(reference, null)).hasMessageContaining("without end");
    }

    private LyingRegistry.Answer breaking(int after, boolean ranges) {
        var bytes = image.layer(0);
        return (asked, out) -> {
            var range = asked.headers().get("range");
            var from = range == null || !ranges ? 0 : Integer.parseInt(range.substring(6, range.indexOf('-')));
            out.write(
                    from == 0
                            ? head(200, bytes.length)
                            : head(
                                    206,
                                    bytes.length - from,
                                    "Content-Range: bytes " + from + "-" + (bytes.length - 1) + "/" + bytes.length));
            var length = Math.min(after, bytes.length - from);
            out.write(bytes, from, length);
            out.flush();
            if (from + length < bytes.length) {
                throw new IOException("break");
            }
        };
    }

    private static void trickle(OutputStream out, byte[] bytes) throws IOException {
        for (var i = 0; i < bytes.length && i < 400; i++) {
            out.write(bytes[i]);
            out.flush();
            LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
        }
    }

    private void resolve() {
        registries.resolve(reference, Platform.ofThisMachine(), null);
    }

    private Descriptor layer() {
        return image.content().layers().getFirst();
    }

    private void readLayer() throws IOException {
        try (var in = registries.blob(reference, layer(), null)) {
            assertThat(in.readAllBytes()).isEqualTo(image.layer(0));
        }
    }

    private static void assertUnavailable(ThrowingCallable action) {
        assertThatThrownBy(action)
                .isInstanceOf(ImageException.class)
                .extracting(e -> ((ImageException) e).problem())
                .isEqualTo(ImageProblem.UNAVAILABLE);
    }
}
