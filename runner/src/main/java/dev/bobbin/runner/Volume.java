package dev.bobbin.runner;

import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/// A directory that has a name, an owner and a life of its own.
///
/// @param id its permanent name, and that of its directory; of the shape of a sandbox's
/// @param name unique among the tenant's
/// @param labels the caller's own notes, returned and never interpreted
/// @param bytes what may be in it; 0 if nothing but the disk limits that
/// @param project of the file system's quotas; 0 if this is not kept, nor counted
public record Volume(
        SandboxId id,
        String tenant,
        String name,
        Map<String, String> labels,
        Instant createdAt,
        long bytes,
        int project) {
    /// One file for each 4 KiB is allowed, and less would be none.
    public static final long LEAST_BYTES = 4096;

    public Volume {
        labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
    }

    /// The same, with its size kept or counted by this project.
    public Volume in(int otherProject) {
        return new Volume(id, tenant, name, labels, createdAt, bytes, otherProject);
    }
}
