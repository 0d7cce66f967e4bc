package dev.bobbin.runner.build.dockerfile;

import org.jspecify.annotations.Nullable;

/// Where an [Expansion] looks names up.
@FunctionalInterface
interface Variables {
    /// The value of `name`, nothing if it is not set.
    @Nullable
    String get(String name);
}
