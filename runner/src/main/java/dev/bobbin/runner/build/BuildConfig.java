package dev.bobbin.runner.build;

import dev.bobbin.runner.Limits;
import java.time.Duration;

/// Settings of builds. A wrong value is an [IllegalArgumentException] that starts with the setting's key.
///
/// @param parallel blocks that work at once, of all builds of one tenant
/// @param contextBytes of the files that come with one request
/// @param uploads builds of one tenant whose files are on their way or here
/// @param uploadBytes what those files may take together
/// @param cacheBytes of all that builds leave for later ones: layers, compressed and unpacked, and mounted caches. What
///        the tenant who has most used longest ago goes first
/// @param cacheEntries how many layers and mounted caches that are
/// @param keepUnused how long what was of no use stays in the cache; zero for ever
/// @param limits of each command whose request says nothing else
public record BuildConfig(
        int parallel,
        long contextBytes,
        int uploads,
        long uploadBytes,
        long cacheBytes,
        int cacheEntries,
        Duration keepUnused,
        Limits limits) {
    public static final BuildConfig DEFAULT = new BuildConfig(
            Math.max(2, Runtime.getRuntime().availableProcessors()),
            8L << 30,
            32,
            16L << 30,
            16L << 30,
            10_000,
            Duration.ofDays(30),
            BuildOrder.USUAL_LIMITS);

    public BuildConfig {
        require(parallel >= 1, "parallel: must be at least 1");
        require(contextBytes >= 1, "context-bytes: must be at least 1 byte");
        require(uploads >= 1, "uploads: must be at least 1");
        require(uploadBytes >= contextBytes, "upload-bytes: must be at least build.context-bytes");
        require(cacheBytes >= 0, "cache-bytes: must not be negative");
        require(cacheEntries >= 0, "cache-entries: must not be negative");
        require(!keepUnused.isNegative(), "keep-unused: must not be negative");
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
