package dev.bobbin.runner.host;

import dev.bobbin.image.store.ImageStore;
import dev.bobbin.image.store.PrunePolicy;
import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.RequestKey;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.StartTimeline.Phase;
import dev.bobbin.runner.build.BuildCache;
import dev.bobbin.runner.build.BuildConfig;
import dev.bobbin.runner.build.BuildContext;
import dev.bobbin.runner.build.BuildException;
import dev.bobbin.runner.build.BuildRequest;
import dev.bobbin.runner.build.Builder;
import dev.bobbin.runner.build.PlannedBuild;
import dev.bobbin.runner.build.Puller;
import dev.bobbin.runner.build.recipe.RecipeLanguages;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// Builds on this host. Safe for many threads.
public final class Builds {
    private static final System.Logger LOG = System.getLogger(Builds.class.getName());

    private static final Duration PRUNE_EVERY = Duration.ofHours(1);
    /// Of this process, which the names of all files may take that are to be built of.
    private static final int PART_OF_MEMORY = 4;

    private final Premises premises;
    private final ImageStore images;
    private final Builder builder;
    private final BuildConfig config;
    private final BuildUploads uploads;
    private final BuildMeters meters;
    private final AtomicReference<Instant> pruned = new AtomicReference<>(Instant.now());
    private final Set<LocalExecution> running = ConcurrentHashMap.newKeySet();

    Builds(HostConfig host, ImageStore images, Premises premises, MeterRegistry registry) throws IOException {
        this.config = host.builds();
        this.premises = premises;
        this.images = images;
        var commands = new BuildCommands(premises);
        this.builder = Builder.open(
                host.dataDir().resolve("builds"),
                images,
                commands,
                commands,
                RecipeLanguages.ALL,
                RecipeLanguages::of,
                config);
        this.uploads = new BuildUploads(
                config.uploads(),
                config.uploadBytes(),
                config.contextBytes(),
                Runtime.getRuntime().maxMemory() / PART_OF_MEMORY);
        this.meters = new BuildMeters(registry, uploads, builder.cache());
    }

    /// What was built before.
    public BuildCache cache() {
        return builder.cache();
    }

    /// Limits of each command whose request says nothing else.
    public Limits usualLimits() {
        return config.limits();
    }

    /// Asks whether a tenant may send what is to be built of: the only way to send it.
    ///
    /// @param announced how many bytes it says that it will send; 0 if it does not
    /// @throws BuildException TOO_LARGE if nobody may ever send so much
    public BuildUpload upload(String tenant, long announced) {
        return premises.closed()
                .or(() -> uploads.begin(tenant, announced))
                .<BuildUpload>map(BuildUpload.Refused::new)
                .orElseGet(() -> new BuildUpload.Open(builder, uploads, tenant, uploads.reserved(announced)));
    }

    /// Understands a request; nothing has run when this returns.
    ///
    /// @param context the build's from now on
    /// @throws dev.bobbin.runner.build.BuildException if it cannot be built
    public PlannedBuild plan(BuildRequest request, BuildContext context, Puller puller)
            throws IOException, InterruptedException {
        var began = System.nanoTime();
        try {
            return builder.plan(request, context, puller);
        } catch (BuildException e) {
            meters.ended(BuildMeters.Result.REFUSED, System.nanoTime() - began);
            throw e;
        }
    }

    /// Starts a build, which is the job's from then on if it is accepted.
    ///
    /// @param key of the request that asked for it; `null` for none
    public Attempt start(
            PlannedBuild build, Job.OnDisconnect onDisconnect, @Nullable RequestKey key, StartTimeline timeline) {
        var order = build.order();
        var closed = premises.closed().or(() -> premises.unfit(order.limits()));
        if (closed.isPresent()) {
            return new Attempt.Refused(closed.get());
        }
        timeline.stamp(Phase.IMAGE);
        try {
            var job = new BuildJob(premises, build, onDisconnect, key, timeline, meters, this::ended);
            var execution = job.execution();
            running.add(execution);
            job.start();
            return new Attempt.Accepted(execution);
        } catch (IOException e) {
            LOG.log(Level.ERROR, "build " + order.id() + " could not be started", e);
            return new Attempt.Refused(
                    new Refusal(Refusal.Reason.DEGRADED, "this host cannot keep what builds print at the moment"));
        }
    }

    private void ended(LocalExecution execution) {
        running.remove(execution);
        var last = pruned.get();
        var now = Instant.now();
        if (!config.keepUnused().isZero() && last.plus(PRUNE_EVERY).isBefore(now) && pruned.compareAndSet(last, now)) {
            Thread.ofVirtual().name("build-cache").start(this::pruneUnused);
        }
    }

    private void pruneUnused() {
        try {
            prune(config.keepUnused());
        } catch (IOException | RuntimeException e) {
            LOG.log(Level.WARNING, "the build cache could not be pruned", e);
        }
    }

    /// Those that run. None outlives its server.
    Set<LocalExecution> running() {
        return Set.copyOf(running);
    }

    /// Forgets everything of a tenant's.
    ///
    /// @return how many steps and mounted caches, and the bytes of these and of the layers that no image needed
    public BuildCache.Pruned prune(String tenant) throws IOException {
        var steps = builder.cache().pruneBlocks(tenant);
        var mounted = builder.cache().pruneMounts(tenant);
        var layers = images.prune(PrunePolicy.UNREFERENCED);
        return new BuildCache.Pruned(steps.entries() + mounted.entries(), mounted.bytes() + layers.freedBytes());
    }

    /// Forgets what was not of use for so long, and removes the layers that no image needs; caches that commands
    /// mount go the same way.
    public BuildCache.Pruned prune(Duration unusedFor) throws IOException {
        var pruned = builder.cache().prune(unusedFor);
        images.prune(new PrunePolicy(null, null));
        return pruned;
    }

    void close() {
        builder.close();
    }
}
