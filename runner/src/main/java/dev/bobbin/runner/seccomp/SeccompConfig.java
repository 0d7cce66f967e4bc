package dev.bobbin.runner.seccomp;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Settings of system-call filters.
///
/// @param on whether jobs have one at all; off only where a machine cannot
/// @param profile a file in the format of OCI or Docker in place of our own; `null` for that
public record SeccompConfig(boolean on, @Nullable Path profile) {
    public static final SeccompConfig DEFAULT = new SeccompConfig(true, null);
    public static final SeccompConfig OFF = new SeccompConfig(false, null);

    public SeccompConfig {
        if (profile != null && !profile.isAbsolute()) {
            throw new IllegalArgumentException("must be \"default\", \"off\" or the absolute path of a profile");
        }
    }

    /// What a person writes: `default`, `off`, or the path of a profile.
    public static SeccompConfig parse(String text) {
        return switch (text) {
            case "default" -> DEFAULT;
            case "off" -> OFF;
            default -> new SeccompConfig(true, Path.of(text));
        };
    }
}
