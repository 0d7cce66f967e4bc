package dev.bobbin.runner.build;

import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageReference;
import org.jspecify.annotations.Nullable;

/// What came of a build.
///
/// @param digest of the image's manifest; `null` if it has no name and so is none
/// @param cached blocks that were done before
/// @param made blocks that were not
public record Built(@Nullable ImageReference name, @Nullable Digest digest, int cached, int made) {}
