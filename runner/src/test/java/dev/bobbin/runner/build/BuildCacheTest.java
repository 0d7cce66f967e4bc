package dev.bobbin.runner.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.Digest;
import dev.bobbin.image.store.ImageStore;
import dev.bobbin.image.store.StoreConfig;
import dev.bobbin.runner.build.BuildCache.Made;
import dev.bobbin.runner.build.CacheMounts.Cache;
import dev.bobbin.runner.sandbox.SandboxException;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BuildCacheTest {
    private static final long PLENTY = Long.MAX_VALUE;
    private static final long KIB_64 = 64 << 10;
    private static final StepMount.Cache MOUNT =
            new StepMount.Cache("/c", "id", StepMount.Sharing.SHARED, false, 0755, 0, 0);
    private static final Step RUN =
            new Step.Run(1, List.of("true"), Map.of(), Map.of(), "/", "", List.of(MOUNT), StepNetwork.NONE);
    private static final Block MOUNTING =
            new Block("b", "b", 1, new Base.Scratch(), List.of(), List.of(), List.of(RUN));

    @TempDir
    private Path directory = Path.of("");

    private ImageStore images;
    private Directories mounts;
    private BuildCache cache;

    /// Mounted caches as plain directories.
    private static final class Directories implements CacheMounts {
        private final Path directory;
        private final Set<String> inUse = new TreeSet<>();
        private boolean broken;
        /// What happens while one is measured.
        private volatile Consumer<Cache> looked = _ -> {};

        Directories(Path directory) {
            this.directory = directory;
        }

        @Override
        public List<Cache> all() {
            try (var all = Files.list(directory)) {
                return all.map(each -> new Cache("a", String.valueOf(each.getFileName())))
                        .toList();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public boolean has(Cache one) {
            return Files.exists(directory.resolve(one.name()));
        }

        @Override
        public OptionalLong bytes(Cache one) {
            var bytes = has(one) ? OptionalLong.of(1 << 20) : OptionalLong.empty();
            looked.accept(one);
            return bytes;
        }

        @Override
        public boolean remove(Cache one) {
            if (broken) {
                throw new SandboxException("remove volume " + one.name() + ": no space left");
            }
            try {
                return !inUse.contains(one.name()) && Files.deleteIfExists(directory.resolve(one.name()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @BeforeEach
    void open() throws Exception {
        images = ImageStore.open(
                directory.resolve("images"), StoreConfig.DEFAULT.withHostImage(false), new SimpleMeterRegistry());
        mounts = new Directories(Files.createDirectory(directory.resolve("mounts")));
        cache = BuildCache.open(directory.resolve("cache"), images, mounts);
    }

    @AfterEach
    void close() {
        cache.close();
        images.close();
    }

    private void reopen() throws IOException {
        cache.close();
        cache = BuildCache.open(directory.resolve("cache"), images, mounts);
    }

    private static Digest key(int number) {
        return Digest.sha256("key " + number);
    }

    /// One that made no layer, which is the cheapest.
    private void put(String tenant, int number) {
        cache.put(tenant, key(number), new Made(null, 0), List.of());
    }

    private boolean has(String tenant, int number) {
        return cache.find(tenant, key(number)).isPresent();
    }

    @Test
    void countsUnpackedBytesAndNoEntryAsNothing() throws Exception {
        put("a", 1);
        assertThat(cache.usage()).isEqualTo(new BuildCache.Pruned(1, KIB_64));
        var layer = BuildPiecesTest.layer("x");
        cache.put("a", key(2), new Made(layer, 1 << 20), List.of(layer));
        assertThat(cache.usage()).isEqualTo(new BuildCache.Pruned(2, KIB_64 + (1 << 20) + 1));
        reopen();
        assertThat(cache.usage()).isEqualTo(new BuildCache.Pruned(2, KIB_64 + (1 << 20) + 1));
    }

    @Test
    void oneTenantsBuildsTakeNothingFromOneWhoHasLess() throws Exception {
        put("quiet", 1);
        put("quiet", 2);
        for (var number = 0; number < 20; number++) {
            put("busy", number);
            cache.pruneTo(10 * KIB_64, 1_000);
        }
        assertThat(has("quiet", 1) && has("quiet", 2)).isTrue();
        assertThat(cache.usage().entries()).isEqualTo(10);
        assertThat(has("busy", 11)).isFalse();
        assertThat(has("busy", 12)).isTrue();
        cache.pruneTo(PLENTY, 4);
        assertThat(has("quiet", 1) && has("quiet", 2)).isTrue();
        assertThat(has("busy", 19)).isTrue();
        assertThat(cache.usage().entries()).isEqualTo(4);
    }

    @Test
    void whatWasOfUseLongestAgoGoesFirst() throws Exception {
        for (var number = 0; number < 3; number++) {
            put("a", number);
        }
        assertThat(has("a", 0)).isTrue();
        cache.pruneTo(PLENTY, 2);
        assertThat(has("a", 1)).isFalse();
        assertThat(has("a", 0)).isTrue();
    }

    @Test
    void lastUseOutlivesAServer() throws Exception {
        for (var number = 0; number < 3; number++) {
            put("a", number);
        }
        try (var files = Files.list(directory.resolve("cache"))) {
            for (var file : files.toList()) {
                var age = file.toString().endsWith(key(1).hex()) ? 1 : 3;
                var then = Instant.now().minus(Duration.ofHours(age));
                Files.setLastModifiedTime(file, FileTime.from(then));
            }
        }
        reopen();
        assertThat(has("a", 0)).isTrue();
        reopen();
        assertThat(cache.prune(Duration.ofHours(2)).entries()).isOne();
        assertThat(has("a", 2)).isFalse();
        cache.pruneTo(PLENTY, 1);
        assertThat(has("a", 1)).isFalse();
        assertThat(has("a", 0)).isTrue();
    }

    @Test
    void whatAKilledServerWasWritingIsNoEntry() throws Exception {
        put("a", 1);
        Files.writeString(directory.resolve("cache/aside-1234"), CacheRecord.BLOCK + "\n\n0\n");
        Files.writeString(directory.resolve("cache").resolve("0-torn"), CacheRecord.BLOCK);
        reopen();
        assertThat(cache.usage().entries()).isOne();
        try (var files = Files.list(directory.resolve("cache"))) {
            assertThat(files).hasSize(1);
        }
    }

    @Test
    void entriesOfTheFormatBeforeAreUnderstood() throws Exception {
        put("a", 1);
        var layer = BuildPiecesTest.layer("x");
        try (var files = Files.list(directory.resolve("cache"))) {
            Files.writeString(
                    files.findFirst().orElseThrow(),
                    "bobbin build cache 1\napplication/x " + layer.blob().digest() + " 1000000 " + layer.diffId() + "\n"
                            + layer.diffId() + "\n");
        }
        reopen();
        assertThat(cache.find("a", key(1)).orElseThrow().layer())
                .extracting(found -> found.diffId())
                .isEqualTo(layer.diffId());
        assertThat(cache.usage().bytes()).isEqualTo(4_000_000);
    }

    @Test
    void mountedCachesCountAndGoUnlessTheyAreInUse() throws Exception {
        var one = new Cache("a", "cache-1");
        Files.createDirectory(directory.resolve("mounts/cache-1"));
        cache.used(one, 5 << 20);
        put("a", 1);
        reopen();
        cache.used(one, -1);
        assertThat(cache.usage()).isEqualTo(new BuildCache.Pruned(2, (5 << 20) + KIB_64));
        mounts.inUse.add("cache-1");
        cache.pruneTo(1 << 20, 10);
        assertThat(cache.knows(one)).isTrue();
        assertThat(has("a", 1)).isFalse();
        mounts.inUse.clear();
        cache.pruneTo(1 << 20, 10);
        assertThat(cache.knows(one)).isFalse();
        assertThat(directory.resolve("mounts/cache-1")).doesNotExist();
    }

    @Test
    void aHugeCacheThatIsInUseCostsNobodyElseAnything() throws Exception {
        var huge = new Cache("a", "cache-1");
        Files.createDirectory(directory.resolve("mounts/cache-1"));
        cache.used(huge, 5 << 20);
        put("a", 1);
        put("b", 1);
        mounts.inUse.add("cache-1");
        cache.pruneTo(1 << 20, 10);
        assertThat(cache.knows(huge)).isTrue();
        assertThat(has("a", 1)).isFalse();
        assertThat(has("b", 1)).isTrue();
    }

    @Test
    void whatIsInUseDoesNotSuspendTheBoundOfEntries() throws Exception {
        Files.createDirectory(directory.resolve("mounts/cache-1"));
        cache.used(new Cache("a", "cache-1"), 5 << 20);
        for (var number = 0; number < 4; number++) {
            put("b", number);
        }
        mounts.inUse.add("cache-1");
        cache.pruneTo(1 << 20, 3);
        assertThat(cache.usage().entries()).isEqualTo(3);
        assertThat(has("b", 1)).isFalse();
        assertThat(has("b", 2)).isTrue();
    }

    @Test
    void whatCannotBeRemovedStaysAndTheOthersGo() throws Exception {
        var one = new Cache("a", "cache-1");
        Files.createDirectory(directory.resolve("mounts/cache-1"));
        cache.used(one, 5 << 20);
        put("a", 1);
        mounts.broken = true;
        cache.pruneTo(1 << 20, 10);
        assertThat(cache.knows(one)).isTrue();
        assertThat(has("a", 1)).isFalse();
        mounts.broken = false;
        cache.pruneTo(1 << 20, 10);
        assertThat(cache.knows(one)).isFalse();
    }

    @Test
    void noSizeThatIsSaidMakesTheSumMeaningless() throws Exception {
        for (var name : List.of("cache-1", "cache-2")) {
            Files.createDirectory(directory.resolve("mounts").resolve(name));
            cache.used(new Cache("a", name), Long.MAX_VALUE);
        }
        assertThat(cache.usage().bytes()).isPositive();
        reopen();
        assertThat(cache.usage().bytes()).isPositive();
        assertThat(cache.pruneTo(1 << 20, 10).entries()).isEqualTo(2);
    }

    @Test
    void whatABlockMountsStaysBetweenItsCommands() throws Exception {
        var one = new Cache("a", "cache-1");
        Files.createDirectory(directory.resolve("mounts/cache-1"));
        cache.used(one, 5 << 20);
        cache.hold(List.of(one));
        cache.hold(List.of(one));
        cache.release(List.of(one));
        assertThat(cache.pruneMounts("a").entries()).isZero();
        assertThat(cache.prune(Duration.ZERO).entries()).isZero();
        cache.pruneTo(0, 0);
        assertThat(directory.resolve("mounts/cache-1")).exists();
        cache.release(List.of(one));
        assertThat(cache.pruneMounts("a").entries()).isOne();
        assertThat(directory.resolve("mounts/cache-1")).doesNotExist();
    }

    @Test
    void whatWasMountedBeforeIsTakenOver() throws Exception {
        Files.createDirectory(directory.resolve("mounts/cache-1"));
        var measured = new CountDownLatch(1);
        try (var mounted = new MountedCaches(mounts, cache, measured::countDown)) {
            measured.await();
            assertThat(cache.usage()).isEqualTo(new BuildCache.Pruned(1, 1 << 20));
            assertThat(mounted).isNotNull();
        }
    }

    @Test
    void oneCacheAtATimeIsMeasured() throws Exception {
        for (var number = 0; number < 8; number++) {
            Files.createDirectory(directory.resolve("mounts/cache-" + number));
        }
        var at = new AtomicInteger();
        var most = new AtomicInteger();
        mounts.looked = _ -> {
            most.accumulateAndGet(at.incrementAndGet(), Math::max);
            LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
            at.decrementAndGet();
        };
        var measured = new CountDownLatch(8);
        try (var mounted = new MountedCaches(mounts, cache, measured::countDown)) {
            measured.await();
            assertThat(mounted).isNotNull();
        }
        assertThat(most).hasValue(1);
        assertThat(cache.usage()).isEqualTo(new BuildCache.Pruned(8, 8 << 20));
    }

    @Test
    void whatIsOfUseWhileItIsMeasuredIsMeasuredAgain() throws Exception {
        var looks = new Semaphore(0);
        var go = new Semaphore(0);
        mounts.looked = _ -> {
            looks.release();
            go.acquireUninterruptibly();
        };
        var one = new Cache("a", MOUNT.name());
        try (var mounted = new MountedCaches(mounts, cache, () -> {})) {
            try (var held = mounted.take("a", MOUNTING)) {
                Files.createDirectory(directory.resolve("mounts").resolve(one.name()));
                cache.used(one, 5 << 20);
                assertThat(cache.pruneMounts("a").entries()).isZero();
                assertThat(held).isNotNull();
            }
            assertThat(looks.tryAcquire(1, TimeUnit.MINUTES)).isTrue();
            for (var again = 0; again < 3; again++) {
                mounted.take("a", MOUNTING).close();
            }
            go.release(2);
            assertThat(looks.tryAcquire(1, TimeUnit.MINUTES)).isTrue();
        }
        assertThat(looks.availablePermits()).isZero();
        assertThat(cache.pruneMounts("a").entries()).isOne();
    }

    @Test
    void whatGoesWhileItIsMeasuredStaysGone() throws Exception {
        var one = new Cache("a", "cache-1");
        Files.createDirectory(directory.resolve("mounts/cache-1"));
        var removed = new AtomicInteger();
        mounts.looked = _ -> removed.set(cache.pruneMounts("a").entries());
        var measured = new CountDownLatch(1);
        try (var mounted = new MountedCaches(mounts, cache, measured::countDown)) {
            measured.await();
            assertThat(mounted).isNotNull();
        }
        assertThat(removed).hasValue(1);
        assertThat(cache.knows(one)).isFalse();
        assertThat(directory.resolve("cache")).isEmptyDirectory();
    }

    @Test
    void anEntryWhoseCacheIsGoneIsDroppedAtTheStart() throws Exception {
        Files.createDirectory(directory.resolve("mounts/cache-1"));
        cache.used(new Cache("a", "cache-1"), 5 << 20);
        Files.delete(directory.resolve("mounts/cache-1"));
        reopen();
        assertThat(cache.usage()).isEqualTo(new BuildCache.Pruned(0, 0));
        assertThat(directory.resolve("cache")).isEmptyDirectory();
    }

    @Test
    void whatTheDiskDoesNotTakeIsKnownUntilTheNextStart() throws Exception {
        var prefix = Digest.sha256("a").hex().substring(0, 16) + "-";
        var inTheWay = directory.resolve("cache").resolve(prefix + key(1).hex());
        Files.createDirectories(inTheWay.resolve("full"));
        put("a", 1);
        assertThat(has("a", 1)).isTrue();
        try (var files = Files.list(directory.resolve("cache"))) {
            assertThat(files).containsExactly(inTheWay);
        }
    }
}
