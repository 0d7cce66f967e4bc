package dev.bobbin.runner.build;

import dev.bobbin.image.ImageReference;

/// Brings images from their registries, as whoever asked for a build may.
@FunctionalInterface
public interface Puller {

    /// Brings one unless it is here.
    ///
    /// @throws dev.bobbin.image.ImageException if that cannot be
    void bring(ImageReference reference) throws InterruptedException;
}
