package dev.bobbin.runner.build;

/// Where something is copied or mounted from.
public sealed interface Source {

    /// What came with the request, without what its ignore file names.
    record Context() implements Source {}

    /// All that is seen of an image or of a block.
    record Stack(Base base) implements Source {}

    /// Only what a block itself made.
    record OwnLayer(String block) implements Source {}
}
