package dev.bobbin.runner.build;

/// Settings of builds.
///
/// @param parallel blocks that work at once, of all builds of one tenant
/// @param contextBytes of the files that come with one request
/// @param cacheBytes of all cached layers, compressed; what was of use longest ago goes first
public record BuildConfig(int parallel, long contextBytes, long cacheBytes) {
    public static final BuildConfig DEFAULT =
            new BuildConfig(Math.max(2, Runtime.getRuntime().availableProcessors()), 8L << 30, 16L << 30);

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
    }
}
