package dev.bobbin.runner.build;

/// What a command of a build may reach.
public enum StepNetwork {
    /// What the build may.
    DEFAULT,
    NONE,
    /// This machine's own; only where the configuration allows it.
    HOST
}
