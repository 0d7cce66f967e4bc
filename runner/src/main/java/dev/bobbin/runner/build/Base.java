package dev.bobbin.runner.build;

import dev.bobbin.image.ImageReference;

/// A stack of layers that something begins on, or that is the result.
public sealed interface Base {

    /// No layers.
    record Scratch() implements Base {}

    /// The layers of an image, that of [BaseImages#resolve].
    record Image(ImageReference reference) implements Base {}

    /// All that a block of the plan sees when it is done: its own base, what it needs, and its own layer.
    record Result(String block) implements Base {}
}
