package dev.bobbin.runner.build;

import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.Layer;
import dev.bobbin.image.Platform;
import dev.bobbin.runner.BuildEvent;
import dev.bobbin.runner.BuildEvent.Kind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// One plan being carried out. A block begins as soon as all that it waits for is done; how many work at once is
/// bounded, and the first that fails ends the others.
final class Build {
    private final BuildPlan plan;
    private final Schedule schedule;
    private final Site site;
    private final Site.Sources sources;
    private final StoredBases bases;
    private final BuildCache cache;
    private final MountedCaches mounted;
    private final Semaphore places;
    private final Map<String, CompletableFuture<Done>> done = new HashMap<>();
    /// Of blocks that stood on what was cached and were not: found out before any block began.
    private final Map<String, Digest> keys = new HashMap<>();
    private final LinkedBlockingQueue<Optional<RuntimeException>> ended = new LinkedBlockingQueue<>();
    private final AtomicInteger cached = new AtomicInteger();
    private final AtomicInteger made = new AtomicInteger();

    /// @param own `null` if it made none
    /// @param stack all that is seen when it is done, the lowest first
    private record Done(@Nullable Layer own, List<Layer> stack) {}

    /// @param places how many blocks work at once, of all builds of this tenant; what is cached needs none
    Build(
            BuildPlan plan,
            Schedule schedule,
            Site site,
            BuildContext context,
            StoredBases bases,
            BuildCache cache,
            MountedCaches mounted,
            Semaphore places) {
        this.plan = plan;
        this.schedule = schedule;
        this.bases = bases;
        this.cache = cache;
        this.mounted = mounted;
        this.places = places;
        this.site = site;
        this.sources = new Copied(context);
        schedule.wanted().forEach(block -> done.put(block.name(), new CompletableFuture<>()));
    }

    /// Carries it out; an interrupt ends everything.
    ///
    /// @throws BuildException or [FailedStep] of the first block that failed
    Built run() throws InterruptedException {
        var open = takeKnown();
        if (open.isEmpty()) {
            return export();
        }
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            try {
                open.forEach(block -> tasks.execute(() -> doBlock(block)));
                var failure = firstFailure(open.size());
                if (failure.isPresent()) {
                    throw failure.get();
                }
            } catch (InterruptedException e) {
                tasks.shutdownNow();
                throw e;
            } catch (RuntimeException e) {
                tasks.shutdownNow();
                throw e;
            }
        }
        return export();
    }

    /// Takes from the cache what stands on nothing but what is cached: at once and without a thread, as that is most of
    /// what most builds do. Gives the blocks that are left.
    private List<Block> takeKnown() throws InterruptedException {
        var left = new ArrayList<Block>();
        for (var block : schedule.inOrder()) {
            var isOpen = schedule.waitsFor(block).stream()
                    .anyMatch(name -> !promise(name).isDone());
            if (isOpen || !takeKnown(block)) {
                left.add(block);
            }
        }
        return left;
    }

    private boolean takeKnown(Block block) throws InterruptedException {
        try {
            var below = below(block);
            if (block.steps().isEmpty()) {
                return promise(block.name()).complete(new Done(null, below));
            }
            if (!site.order().useCache()) {
                return false;
            }
            var key = BlockKey.of(block, site.order(), sources, below);
            keys.put(block.name(), key);
            var known = known(block, key, below);
            known.ifPresent(promise(block.name())::complete);
            return known.isPresent();
        } catch (IOException | RuntimeException _) {
            return false; // which it says again when it is its turn
        }
    }

    /// Waits until so many blocks are done, or one of them failed.
    private Optional<RuntimeException> firstFailure(int blocks) throws InterruptedException {
        try {
            for (var left = blocks; left > 0; left--) {
                var failure = ended.take();
                if (failure.isPresent()) {
                    return failure;
                }
            }
            return Optional.empty();
        } finally {
            ended.clear();
        }
    }

    private void doBlock(Block block) {
        var promise = promise(block.name());
        try {
            for (var name : schedule.waitsFor(block)) {
                promise(name).get();
            }
        } catch (ExecutionException | InterruptedException | CancellationException e) {
            // who failed has said it, or whoever interrupted knows
            promise.cancel(false);
            return;
        }
        try {
            promise.complete(result(block));
            ended.add(Optional.empty());
        } catch (Throwable e) { // whatever it is: who waits for this block must hear of it
            ended.add(Optional.of(problem(block, e)));
            promise.cancel(false);
        }
    }

    private static RuntimeException problem(Block block, Throwable e) {
        var message = "block " + block.name() + ": " + e.getMessage();
        return switch (e) {
            case BuildException known ->
                new BuildException(known.problem(), known.line() == 0 ? block.line() : known.line(), message, known);
            case FailedStep known -> known;
            case IOException failed -> new BuildException(BuildException.Problem.HOST, block.line(), message, failed);
            case Error error -> new IllegalStateException("block " + block.name() + ": " + error, error);
            default -> new IllegalStateException(message, e);
        };
    }

    private CompletableFuture<Done> promise(String block) {
        return Objects.requireNonNull(done.get(block));
    }

    private List<Layer> below(Block block) throws InterruptedException {
        var below = new ArrayList<>(layers(block.base()));
        for (var needed : schedule.between(block)) {
            var own = promise(needed.name()).join().own;
            if (own != null) {
                below.add(own);
            }
        }
        return below;
    }

    private Digest key(Block block, List<Layer> below) throws IOException, InterruptedException {
        var key = keys.get(block.name());
        return key == null ? BlockKey.of(block, site.order(), sources, below) : key;
    }

    private Optional<Done> known(Block block, Digest key, List<Layer> below) {
        var began = System.nanoTime();
        if (!site.order().useCache()) {
            return Optional.empty();
        }
        var known = cache.find(site.order().tenant(), key).filter(this::isHere);
        known.ifPresent(_ -> {
            cached.incrementAndGet();
            tell(Kind.CACHED, block.name(), block.title(), millisSince(began));
        });
        return known.map(found -> stacked(below, found.layer()));
    }

    private Done result(Block block) throws IOException, InterruptedException {
        var below = below(block);
        if (block.steps().isEmpty()) {
            return new Done(null, below);
        }
        var key = key(block, below);
        var known = known(block, key, below);
        if (known.isPresent()) {
            return known.get();
        }
        // the caches first: whoever waits for one does not keep others from working
        try (var _ = mounted.take(site.order().tenant(), block)) {
            places.acquire();
            try {
                return made(block, key, below);
            } finally {
                places.release();
            }
        }
    }

    private Done made(Block block, Digest key, List<Layer> below) throws IOException, InterruptedException {
        var began = System.nanoTime();
        tell(Kind.STARTED, block.name(), block.title(), 0);
        try {
            var done = new BlockWork(site, sources, block, below).work();
            var result = stacked(below, done.layer());
            cache.put(site.order().tenant(), key, done, result.stack);
            made.incrementAndGet();
            tell(Kind.DONE, block.name(), block.title(), millisSince(began));
            return result;
        } catch (RuntimeException | IOException e) {
            tell(Kind.FAILED, block.name(), String.valueOf(e.getMessage()), millisSince(began));
            throw e;
        } catch (InterruptedException e) {
            tell(Kind.CANCELLED, block.name(), block.title(), millisSince(began));
            throw e;
        }
    }

    private boolean isHere(BuildCache.Made known) {
        var layer = known.layer();
        return layer == null || site.workshop().has(layer);
    }

    private static Done stacked(List<Layer> below, @Nullable Layer own) {
        var stack = new ArrayList<>(below);
        if (own != null) {
            stack.add(own);
        }
        return new Done(own, List.copyOf(stack));
    }

    private List<Layer> layers(Base base) throws InterruptedException {
        return switch (base) {
            case Base.Scratch _ -> List.of();
            case Base.Image(var reference) -> bases.layers(reference);
            case Base.Result(var block) -> promise(block).join().stack;
        };
    }

    private Built export() throws InterruptedException {
        var order = site.order();
        var name = order.name();
        if (name == null) {
            return new Built(null, null, cached.get(), made.get());
        }
        var began = System.nanoTime();
        tell(Kind.EXPORTING, "", name.text(), 0);
        var history = new History(plan, schedule, bases, order.time())
                .steps(block -> promise(block).join().own != null);
        var origin = new ImageConfig.Origin(Platform.ofThisMachine(), order.time(), List.of(), history);
        var image = site.workshop().name(name, plan.config().withOrigin(origin), layers(plan.result()));
        tell(Kind.FINISHED, "", image.digest().text(), millisSince(began));
        return new Built(name, image.digest(), cached.get(), made.get());
    }

    private void tell(Kind kind, String step, String text, long millis) {
        site.watcher().happened(new BuildEvent(kind, step, text, millis));
    }

    private static long millisSince(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - nanos);
    }

    /// What blocks copy from: blocks that are done, images, and the context.
    private final class Copied implements Site.Sources {
        private final BuildContext context;

        Copied(BuildContext context) {
            this.context = context;
        }

        @Override
        public Optional<List<Layer>> layers(Source source) throws InterruptedException {
            return switch (source) {
                case Source.Context _ -> Optional.empty();
                case Source.Stack(var base) -> Optional.of(Build.this.layers(base));
                case Source.OwnLayer(var block) -> {
                    var own = promise(block).join().own;
                    yield Optional.of(own == null ? List.of() : List.of(own));
                }
            };
        }

        @Override
        public BuildContext context() {
            return context;
        }
    }
}
