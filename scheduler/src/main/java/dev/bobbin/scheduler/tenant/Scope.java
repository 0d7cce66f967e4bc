package dev.bobbin.scheduler.tenant;

/// One thing a caller may do.
public enum Scope {
    /// See jobs and their output.
    READ,
    /// Start jobs, feed them and end them.
    RUN,
    /// All of that for every tenant.
    ADMIN
}
