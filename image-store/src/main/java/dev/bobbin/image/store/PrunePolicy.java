package dev.bobbin.image.store;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// What may be taken away. What no name needs always may.
///
/// @param unusedFor names that were not used for so long; nothing to leave all names whatever their age
/// @param keepBytes take the names that were not used for longest until the store has at most so many bytes; nothing
///     to leave all names whatever the size
public record PrunePolicy(
        @Nullable Duration unusedFor, @Nullable Long keepBytes) {
    /// Only what no name needs.
    public static final PrunePolicy UNREFERENCED = new PrunePolicy(null, null);
}
