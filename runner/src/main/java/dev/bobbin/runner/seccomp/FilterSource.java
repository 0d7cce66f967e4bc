package dev.bobbin.runner.seccomp;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Where the filter that every job has comes from.
///
/// @param on whether jobs have one at all; off only where a machine cannot
/// @param profile a file in the format of OCI or Docker in place of our own; `null` for that
public record FilterSource(boolean on, @Nullable Path profile) {
    public static final FilterSource STANDARD = new FilterSource(true, null);
    public static final FilterSource NONE = new FilterSource(false, null);

    public FilterSource {
        if (profile != null && !profile.isAbsolute()) {
            throw new IllegalArgumentException("must be \"default\", \"off\" or the absolute path of a profile");
        }
    }

    /// What a person writes: `default`, `off`, or the path of a profile.
    public static FilterSource parse(String text) {
        return switch (text) {
            case "default" -> STANDARD;
            case "off" -> NONE;
            default -> new FilterSource(true, Path.of(text));
        };
    }
}
