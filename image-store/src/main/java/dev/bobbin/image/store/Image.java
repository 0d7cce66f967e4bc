package dev.bobbin.image.store;

import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageReference;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// An image of the store under one of its names.
///
/// @param owner whose name it is; empty if it is everybody's
/// @param digest of its manifest
/// @param size bytes of its configuration and layers as they are sent
/// @param unpackedBytes bytes of its layers as jobs see them
/// @param pulledAt when the name was given to this content
/// @param lastUsedAt when it was leased, to a minute
/// @param problem why it cannot be used, and what repairs it; nothing if it can
public record Image(
        String owner,
        ImageReference reference,
        Digest digest,
        ImageConfig config,
        long size,
        long unpackedBytes,
        Instant pulledAt,
        Instant lastUsedAt,
        @Nullable String problem) {

    /// When it was made, if it says so.
    public Optional<Instant> createdAt() {
        return Optional.ofNullable(config.origin().created());
    }
}
