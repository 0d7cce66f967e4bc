package dev.bobbin.image.store;

import dev.bobbin.image.Digest;
import dev.bobbin.image.Platform;

/// What a registry was brought.
///
/// @param digest of the manifest
/// @param platform the one that was pushed
/// @param platforms for how many the image is where it came from
public record Pushed(Digest digest, Platform platform, int platforms) {}
