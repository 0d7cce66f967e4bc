package dev.bobbin.runner.build;

import dev.bobbin.image.ImageReference;

/// The images that one build stands on. Within a build a reference always means the same image, whatever becomes of
/// its tag meanwhile.
public interface BaseImages {

    /// Finds an image here or brings it.
    ///
    /// @throws BuildException if there is none, or it may not be a base
    BaseImage resolve(ImageReference reference) throws InterruptedException;
}
