package dev.bobbin.runner.build;

/// Settings of builds.
///
/// @param parallel blocks that work at once, of all builds of one tenant
/// @param contextBytes of the files that come with one request
/// @param cacheBytes of all that builds leave for later ones: layers, compressed and unpacked, and mounted caches. What
///        the tenant who has most used longest ago goes first
/// @param cacheEntries how many layers and mounted caches that are
public record BuildConfig(int parallel, long contextBytes, long cacheBytes, int cacheEntries) {
    public static final BuildConfig DEFAULT =
            new BuildConfig(Math.max(2, Runtime.getRuntime().availableProcessors()), 8L << 30, 16L << 30, 10_000);

    public BuildConfig {
        if (parallel < 1) {
            throw new IllegalArgumentException("builds.parallel must be at least 1");
        }
        if (contextBytes < 1) {
            throw new IllegalArgumentException("builds.context must be at least 1 byte");
        }
        if (cacheBytes < 0) {
            throw new IllegalArgumentException("builds.cache must not be negative");
        }
        if (cacheEntries < 0) {
            throw new IllegalArgumentException("builds.cache-entries must not be negative");
        }
    }
}
