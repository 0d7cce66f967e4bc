package dev.bobbin.ops;

import dev.bobbin.image.store.ImageStore;
import dev.bobbin.image.store.PrunePolicy;
import java.time.Duration;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/// Takes unused images away from time to time.
final class ImagePruning implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(ImagePruning.class.getName());

    private final ImageStore images;
    private final PrunePolicy policy;
    private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("image-pruning").factory());

    private ImagePruning(ImageStore images, PrunePolicy policy) {
        this.images = images;
        this.policy = policy;
    }

    static ImagePruning start(ImageStore images, PrunePolicy policy, Duration every) {
        var pruning = new ImagePruning(images, policy);
        var _ = pruning.timer.scheduleWithFixedDelay(
                pruning::prune, every.toMillis(), every.toMillis(), TimeUnit.MILLISECONDS);
        return pruning;
    }

    /// The next time may succeed where this one fails.
    private void prune() {
        try {
            var pruned = images.prune(policy);
            if (pruned.freedBytes() > 0 || !pruned.images().isEmpty()) {
                LOG.log(
                        System.Logger.Level.INFO,
                        "pruned images " + pruned.images() + ", " + pruned.freedBytes() + " bytes freed");
            }
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "prune the image store", e);
        }
    }

    @Override
    public void close() {
        timer.close();
    }
}
