package dev.bobbin.runner.volume;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// Which directories of this machine may be mounted in sandboxes. A wrong value is an [IllegalArgumentException] that
/// starts with the setting's key.
///
/// @param prefixes directories beneath which everything may be mounted read-only
/// @param writablePrefixes directories beneath which everything may be mounted, also to be written to: root in a
///        sandbox writes there as this machine's root
/// @param everybody whether callers who are no administrators may do so
public record BindConfig(List<Path> prefixes, List<Path> writablePrefixes, boolean everybody) {
    /// Nothing of the machine.
    public static final BindConfig NONE = new BindConfig(List.of(), List.of(), false);

    private static final List<Path> NEVER = List.of(Path.of("/proc"), Path.of("/sys"), Path.of("/dev"));

    public BindConfig {
        prefixes = prefixes.stream()
                .map(prefix -> checked("bind-prefixes", prefix))
                .toList();
        writablePrefixes = writablePrefixes.stream()
                .map(prefix -> checked("writable-bind-prefixes", prefix))
                .toList();
    }

    /// Whether anything may be mounted.
    public boolean any() {
        return all().findAny().isPresent();
    }

    /// All of them, those that may be written to first.
    Stream<Path> all() {
        return Stream.concat(writablePrefixes.stream(), prefixes.stream());
    }

    private static Path checked(String key, Path prefix) {
        var plain = prefix.normalize();
        if (!prefix.isAbsolute() || plain.getNameCount() == 0 || NEVER.stream().anyMatch(plain::startsWith)) {
            throw new IllegalArgumentException(
                    key + ": \"" + prefix + "\" must be an absolute path, and not /, /proc, /sys or /dev");
        }
        return plain;
    }
}
