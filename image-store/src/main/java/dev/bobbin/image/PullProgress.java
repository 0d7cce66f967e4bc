package dev.bobbin.image;

import org.jspecify.annotations.Nullable;

/// How far a pull has come. For each layer at most one a tenth of a second, and its last one always.
public sealed interface PullProgress {
    /// The registry is asked what the name means.
    record Resolving(ImageReference reference) implements PullProgress {}

    /// It means this.
    ///
    /// @param index of images for several machines, one of which was chosen; nothing if it is of one
    /// @param layers how many it has
    record Resolved(@Nullable Digest index, Digest manifest, Digest config, int layers) implements PullProgress {}

    /// Bytes of a layer that have come, of all its compressed bytes.
    record LayerProgress(Digest digest, long transferredBytes, long totalBytes) implements PullProgress {}

    /// A layer is ready to be mounted.
    record LayerUnpacked(Digest digest) implements PullProgress {}

    /// A layer was in the store already.
    record LayerExists(Digest digest) implements PullProgress {}

    /// The image is ready to run.
    ///
    /// @param digest of its manifest
    record Done(Digest digest) implements PullProgress {}
}
