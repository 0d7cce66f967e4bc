package dev.bobbin.runner;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// A file in a sandbox, as its processes see it.
///
/// @param name without the directory; of the root `.`
/// @param mode permissions, set-id and sticky bits
/// @param uid inside the sandbox
/// @param gid inside the sandbox
/// @param size in bytes; 0 of what is no plain file
/// @param target of a symbolic link; `null` of anything else
public record FileEntry(
        String name,
        Kind kind,
        int mode,
        int uid,
        int gid,
        long size,
        Instant modified,
        @Nullable String target) {

    public enum Kind {
        FILE,
        DIRECTORY,
        LINK,
        PIPE,
        OTHER
    }
}
