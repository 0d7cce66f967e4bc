package dev.bobbin.runner.build;

import dev.bobbin.runner.build.CacheMounts.Cache;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.ReentrantLock;

/// Who may use the directories that commands mount as caches, and what these take. Safe for many threads.
final class MountedCaches implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(MountedCaches.class.getName());

    private final CacheMounts mounts;
    private final BuildCache cache;
    private final Runnable grown;
    private final Map<Cache, Turn> turns = new ConcurrentHashMap<>();
    /// What is to be measured, each once however often it is of use until then.
    private final Set<Cache> unmeasured = ConcurrentHashMap.newKeySet();
    /// One for all, as disks are no quicker with more; reading directories would hold a processor's carrier.
    private final ExecutorService measuring = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("build-caches").factory());

    /// @param grown called when more is known of what they take
    MountedCaches(CacheMounts mounts, BuildCache cache, Runnable grown) {
        this.mounts = mounts;
        this.cache = cache;
        this.grown = grown;
        mounts.all().stream().filter(each -> !cache.knows(each)).forEach(each -> {
            cache.used(each, -1);
            measureSoon(each);
        });
    }

    /// One that a block at a time may use. It is known while any has it or waits for it.
    private static final class Turn extends ReentrantLock {
        private static final long serialVersionUID = 1;

        private int wanted;
    }

    /// What a block mounts. Closing it lets the next have it.
    final class Held implements AutoCloseable {
        private final List<Cache> taken = new ArrayList<>();
        private final List<Cache> all;

        private Held(List<Cache> all) {
            this.all = all;
            cache.hold(all);
        }

        @Override
        public void close() {
            taken.reversed().forEach(MountedCaches.this::release);
            all.forEach(each -> cache.used(each, -1));
            cache.release(all);
            all.forEach(MountedCaches.this::measureSoon);
        }
    }

    /// Waits until a block may use all that it mounts. On the thread that will close the answer.
    Held take(String tenant, Block block) throws InterruptedException {
        var all = caches(block).map(mount -> new Cache(tenant, mount.name())).toList();
        var held = new Held(all.stream().distinct().toList());
        // in one order, so that no two wait for each other
        var alone = caches(block)
                .filter(mount -> mount.sharing() != StepMount.Sharing.SHARED)
                .map(StepMount.Cache::name)
                .distinct()
                .sorted()
                .toList();
        var whole = false;
        try {
            for (var name : alone) {
                var next = new Cache(tenant, name);
                acquire(next);
                held.taken.add(next);
            }
            whole = true;
            return held;
        } finally {
            if (!whole) {
                held.taken.forEach(this::release);
                cache.release(held.all);
            }
        }
    }

    private static java.util.stream.Stream<StepMount.Cache> caches(Block block) {
        return block.steps().stream()
                .flatMap(step -> step instanceof Step.Run run ? run.mounts().stream() : java.util.stream.Stream.of())
                .filter(StepMount.Cache.class::isInstance)
                .map(StepMount.Cache.class::cast);
    }

    private void acquire(Cache name) throws InterruptedException {
        var turn = turns.compute(name, (_, known) -> {
            var own = known == null ? new Turn() : known;
            own.wanted++;
            return own;
        });
        var has = false;
        try {
            turn.lockInterruptibly();
            has = true;
        } finally {
            if (!has) {
                leave(name);
            }
        }
    }

    private void release(Cache name) {
        var turn = turns.get(name);
        if (turn != null) {
            turn.unlock();
            leave(name);
        }
    }

    private void leave(Cache name) {
        turns.computeIfPresent(name, (_, known) -> --known.wanted == 0 ? null : known);
    }

    /// Finds out aside what it takes by now, as that may take a while.
    private void measureSoon(Cache one) {
        if (unmeasured.add(one)) {
            try {
                measuring.execute(() -> measure(one));
            } catch (RejectedExecutionException _) {
                unmeasured.remove(one); // the next server will do it
            }
        }
    }

    private void measure(Cache one) {
        unmeasured.remove(one); // before the look: a use from now on asks for another
        try {
            var bytes = mounts.bytes(one);
            if (!Thread.currentThread().isInterrupted()) {
                cache.used(one, bytes.orElse(-1));
                grown.run();
            }
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "what the mounted cache " + one.name() + " takes is not known", e);
        }
    }

    @Override
    public void close() {
        measuring.shutdownNow();
        measuring.close();
    }
}
