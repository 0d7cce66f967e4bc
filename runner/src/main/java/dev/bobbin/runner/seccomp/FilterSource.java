package dev.bobbin.runner.seccomp;

import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Where the filters come from: the one that every job has, and those that jobs ask for by name.
///
/// @param on whether every job has one; off only where a machine cannot
/// @param profile a file in the format of OCI or Docker in place of our own; `null` for that
/// @param named files in that format that jobs may ask for besides, by name
public record FilterSource(boolean on, @Nullable Path profile, Map<String, Path> named) {
    public static final FilterSource STANDARD = new FilterSource(true, null, Map.of());
    public static final FilterSource NONE = new FilterSource(false, null, Map.of());

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}");

    public FilterSource {
        if (profile != null && !profile.isAbsolute()) {
            throw new IllegalArgumentException("must be \"default\", \"off\" or the absolute path of a profile");
        }
        named = Map.copyOf(named);
        named.forEach(FilterSource::check);
    }

    private static void check(String name, Path profile) {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    "a name has at most 64 letters, digits, '_', '.' and '-', not \"" + name + "\"");
        }
        if (name.equals(BuiltIn.STANDARD) || BuiltIn.STRICTER.contains(name)) {
            throw new IllegalArgumentException(name + " is a profile of Bobbin's own; choose another name");
        }
        if (!profile.isAbsolute()) {
            throw new IllegalArgumentException(name + " must be the absolute path of a profile, not " + profile);
        }
    }

    /// What a person writes: `default`, `off`, or the path of a profile.
    public static FilterSource parse(String text) {
        return switch (text) {
            case "default" -> STANDARD;
            case "off" -> NONE;
            default -> new FilterSource(true, Path.of(text), Map.of());
        };
    }

    /// The same with profiles that jobs may ask for.
    public FilterSource naming(Map<String, Path> profiles) {
        return new FilterSource(on, profile, profiles);
    }
}
