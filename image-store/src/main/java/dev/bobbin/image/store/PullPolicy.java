package dev.bobbin.image.store;

/// When a registry is asked for an image.
public enum PullPolicy {
    /// If the store does not have it.
    MISSING,
    /// Always; what is here already is not sent again.
    ALWAYS,
    /// Never.
    NEVER
}
