package dev.bobbin.runner.seccomp;

/// Settings of system-call filters.
///
/// @param on whether jobs have one at all; off only where a machine cannot
public record SeccompConfig(boolean on) {
    public static final SeccompConfig DEFAULT = new SeccompConfig(true);
}
