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
    private final BlockWork.Site site;
    private final BlockWork.Sources sources;
    private final StoredBases bases;
    private final BuildCache cache;
    private final Semaphore places;
    private final Map<String, CompletableFuture<Done>> done = new HashMap<>();
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
            BlockWork.Site site,
            BuildContext context,
            StoredBases bases,
            BuildCache cache,
            Semaphore places) {
        this.plan = plan;
        this.schedule = schedule;
        this.bases = bases;
        this.cache = cache;
        this.places = places;
        this.site = site;
        this.sources = new Copied(context);
        schedule.wanted().forEach(block -> done.put(block.name(), new CompletableFuture<>()));
    }

    /// Carries it out; an interrupt ends everything.
    ///
    /// @throws BuildException or [FailedStep] of the first block that failed
    Built run() throws InterruptedException {
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            try {
                schedule.wanted().forEach(block -> tasks.execute(() -> doBlock(block)));
                var failure = firstFailure();
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

    /// Waits until all blocks are done, or one of them failed.
    private Optional<RuntimeException> firstFailure() throws InterruptedException {
        try {
            for (var left = done.size(); left > 0; left--) {
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

    private Done result(Block block) throws IOException, InterruptedException {
        var below = new ArrayList<>(layers(block.base()));
        for (var needed : schedule.between(block)) {
            var own = promise(needed.name()).join().own;
            if (own != null) {
                below.add(own);
            }
        }
        if (block.steps().isEmpty()) {
            return new Done(null, below);
        }
        return work(block, below);
    }

    private Done work(Block block, List<Layer> below) throws IOException, InterruptedException {
        var began = System.nanoTime();
        var work = new BlockWork(site, sources, block, below);
        var key = work.key().digest();
        var tenant = site.order().tenant();
        var known = site.order().useCache()
                ? cache.find(tenant, key).filter(this::isHere)
                : Optional.<BuildCache.Made>empty();
        if (known.isPresent()) {
            cached.incrementAndGet();
            tell(Kind.CACHED, block.name(), block.title(), millisSince(began));
            return stacked(below, known.get().layer());
        }
        places.acquire();
        try {
            return made(block, work, key, below);
        } finally {
            places.release();
        }
    }

    private Done made(Block block, BlockWork work, Digest key, List<Layer> below)
            throws IOException, InterruptedException {
        var began = System.nanoTime();
        tell(Kind.STARTED, block.name(), block.title(), 0);
        try {
            var layer = work.work();
            var result = stacked(below, layer);
            cache.put(site.order().tenant(), key, new BuildCache.Made(layer), result.stack);
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
        var layers = layers(plan.result());
        var origin = new ImageConfig.Origin(Platform.ofThisMachine(), order.time(), List.of(), history());
        var image = site.workshop().name(name, plan.config().withOrigin(origin), layers);
        tell(Kind.FINISHED, "", image.digest().text(), millisSince(began));
        return new Built(name, image.digest(), cached.get(), made.get());
    }

    /// Of the base as it says itself, and then of the recipe, where only blocks that made a layer count as such.
    private List<ImageConfig.Step> history() throws InterruptedException {
        var base = ground(plan.result());
        var steps = new ArrayList<ImageConfig.Step>();
        if (base instanceof Base.Image(var reference)) {
            steps.addAll(bases.resolve(reference).config().origin().history());
        }
        if (plan.history().isEmpty()) {
            if (plan.result() instanceof Base.Result(var last)) {
                chain(schedule.block(last))
                        .forEach(block -> steps.add(
                                step(block.title(), promise(block.name()).join().own == null)));
            }
        } else {
            plan.history().forEach(past -> {
                var block = past.block();
                steps.add(step(past.createdBy(), block == null || promise(block).join().own == null));
            });
        }
        return steps;
    }

    private ImageConfig.Step step(String createdBy, boolean empty) {
        return new ImageConfig.Step(site.order().time(), createdBy, "", "bobbin", empty);
    }

    /// What a stack stands on in the end.
    private Base ground(Base base) {
        var at = base;
        while (at instanceof Base.Result(var block)) {
            at = schedule.block(block).base();
        }
        return at;
    }

    /// The blocks whose layers a block's stack has, the lowest first.
    private List<Block> chain(Block block) {
        var chain = new ArrayList<Block>();
        if (block.base() instanceof Base.Result(var lower)) {
            chain.addAll(chain(schedule.block(lower)));
        }
        chain.addAll(schedule.between(block));
        chain.add(block);
        return chain;
    }

    private void tell(Kind kind, String step, String text, long millis) {
        site.watcher().happened(new BuildEvent(kind, step, text, millis));
    }

    private static long millisSince(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - nanos);
    }

    /// What blocks copy from: blocks that are done, images, and the context.
    private final class Copied implements BlockWork.Sources {
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
