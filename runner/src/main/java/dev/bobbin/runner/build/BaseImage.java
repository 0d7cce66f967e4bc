package dev.bobbin.runner.build;

import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageReference;

/// An image that something is built on.
///
/// @param digest of its manifest
/// @param config its own; triggers of ONBUILD are [ImageConfig#onBuild]
public record BaseImage(ImageReference reference, Digest digest, ImageConfig config) {}
