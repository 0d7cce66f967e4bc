package dev.bobbin.image;

/// How far a pull has come. For each layer at most one a tenth of a second, and its last one always.
public sealed interface PullProgress {
    /// The registry is asked what the name means.
    record Resolving(ImageReference reference) implements PullProgress {}

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
