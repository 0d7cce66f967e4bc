package dev.bobbin.runner.build;

import dev.bobbin.runner.Limits;
import java.time.Duration;

/// Settings of builds. A wrong value is an [IllegalArgumentException] that starts with the setting's key.
///
/// @param parallel blocks that work at once, of all builds of one tenant
/// @param contextBytes of the files that come with one request
/// @param uploads builds of one tenant whose files are on their way or here
/// @param uploadBytes what those files may take together
/// @param cacheBytes of all cached layers, compressed; what was of use longest ago goes first
/// @param keepUnused how long what was of no use stays in the cache; zero for ever
/// @param limits of each command whose request says nothing else
public record BuildConfig(
        int parallel,
        long contextBytes,
        int uploads,
        long uploadBytes,
        long cacheBytes,
        Duration keepUnused,
        Limits limits) {
    public static final BuildConfig DEFAULT = new BuildConfig(
            Math.max(2, Runtime.getRuntime().availableProcessors()),
            8L << 30,
            32,
            16L << 30,
            16L << 30,
            Duration.ofDays(30),
            BuildOrder.USUAL_LIMITS);

    public BuildConfig {
        require(parallel >= 1, "parallel: must be at least 1");
        require(contextBytes >= 1, "context-bytes: must be at least 1 byte");
        require(uploads >= 1, "uploads: must be at least 1");
        require(uploadBytes >= contextBytes, "upload-bytes: must be at least build.context-bytes");
        require(cacheBytes >= 0, "cache-bytes: must not be negative");
        require(!keepUnused.isNegative(), "keep-unused: must not be negative");
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
