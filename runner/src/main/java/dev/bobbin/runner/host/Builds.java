package dev.bobbin.runner.host;

import dev.bobbin.image.store.ImageStore;
import dev.bobbin.image.store.PrunePolicy;
import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.StartTimeline.Phase;
import dev.bobbin.runner.build.BuildCache;
import dev.bobbin.runner.build.BuildConfig;
import dev.bobbin.runner.build.BuildContext;
import dev.bobbin.runner.build.BuildRequest;
import dev.bobbin.runner.build.Builder;
import dev.bobbin.runner.build.PlannedBuild;
import dev.bobbin.runner.build.Puller;
import dev.bobbin.runner.build.recipe.RecipeLanguages;
import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Builds on this host. Safe for many threads.
public final class Builds {
    private static final System.Logger LOG = System.getLogger(Builds.class.getName());

    private final Premises premises;
    private final ImageStore images;
    private final Builder builder;
    private final Set<LocalExecution> running = ConcurrentHashMap.newKeySet();

    Builds(HostConfig config, ImageStore images, Premises premises) throws IOException {
        this.premises = premises;
        this.images = images;
        var commands = new BuildCommands(premises);
        this.builder = Builder.open(
                config.dataDir().resolve("builds"),
                images,
                commands,
                commands,
                RecipeLanguages.ALL,
                RecipeLanguages::of,
                BuildConfig.DEFAULT);
    }

    /// What was built before.
    public BuildCache cache() {
        return builder.cache();
    }

    /// Why no build begins here at the moment, to be asked before the files of one are taken.
    public Optional<Refusal> closed() {
        return premises.closed();
    }

    /// Reads the files of a request to their end, a tar archive, plain or compressed.
    ///
    /// @throws dev.bobbin.runner.build.BuildException if it holds what cannot be, or is larger than may be
    public BuildContext receive(InputStream tar) throws IOException {
        return builder.receive(tar);
    }

    /// Reads a directory of this machine.
    ///
    /// @throws dev.bobbin.runner.build.BuildException if it is larger than may be
    public BuildContext receive(SharedDirectory directory) throws IOException {
        return builder.receive(directory::giveTo);
    }

    /// Files that a request spelled out.
    public BuildContext receive(Map<String, byte[]> files) throws IOException {
        return builder.receive(files);
    }

    /// Understands a request; nothing has run when this returns.
    ///
    /// @param context the build's from now on
    /// @throws dev.bobbin.runner.build.BuildException if it cannot be built
    public PlannedBuild plan(BuildRequest request, BuildContext context, Puller puller)
            throws IOException, InterruptedException {
        return builder.plan(request, context, puller);
    }

    /// Starts a build, which is the job's from then on if it is accepted.
    public Attempt start(PlannedBuild build, Job.OnDisconnect onDisconnect, StartTimeline timeline) {
        var order = build.order();
        var closed = premises.closed().or(() -> premises.unfit(order.limits()));
        if (closed.isPresent()) {
            return new Attempt.Refused(closed.get());
        }
        timeline.stamp(Phase.IMAGE);
        try {
            var job = new BuildJob(premises, build, onDisconnect, timeline, running::remove);
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

    /// Those that run. None outlives its server.
    Set<LocalExecution> running() {
        return Set.copyOf(running);
    }

    /// Forgets everything of a tenant's.
    ///
    /// @return how many steps, and the bytes of the layers that no image needed
    public BuildCache.Pruned prune(String tenant) throws IOException {
        var pruned = builder.cache().prune(tenant);
        return new BuildCache.Pruned(
                pruned.entries(), images.prune(PrunePolicy.UNREFERENCED).freedBytes());
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
