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
public record Volume(SandboxId id, String tenant, String name, Map<String, String> labels, Instant createdAt) {
    public Volume {
        labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
    }
}
