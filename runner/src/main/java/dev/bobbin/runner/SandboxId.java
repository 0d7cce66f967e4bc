package dev.bobbin.runner;

import java.util.Optional;
import java.util.UUID;

/// The permanent name of one sandbox: a UUID of version 7. Directories, sockets and cgroups carry it.
public record SandboxId(UUID value) {

    public static SandboxId next() {
        return new SandboxId(TimeOrderedId.next());
    }

    /// The id written as `text` in canonical form, or nothing if it is not one.
    public static Optional<SandboxId> parse(String text) {
        return TimeOrderedId.parse(text).map(SandboxId::new);
    }

    @Override
    public String toString() {
        return value.toString();
    }
}
