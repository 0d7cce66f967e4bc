package dev.bobbin.runner.build;

import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Network;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// How a plan is to be carried out, besides what the recipe says.
///
/// @param name of the image; `null`: it gets none, and is kept as long as the cache keeps its layers
/// @param useCache whether what was done before counts
/// @param limits of each command
/// @param network of commands whose recipe says nothing of it
/// @param hostNetwork whether a recipe may ask for this machine's own
/// @param secrets values by their ids
/// @param time of every file in new layers, and of the image
public record BuildOrder(
        JobId id,
        String tenant,
        @Nullable ImageReference name,
        boolean useCache,
        Limits limits,
        Network network,
        boolean hostNetwork,
        Map<String, byte[]> secrets,
        Instant time) {
    /// Old enough to be nobody's idea of now, and not older than what ZIP archives can say.
    public static final Instant USUAL_TIME = Instant.parse("1980-01-01T00:00:00Z");

    private static final long MIB = 1 << 20;
    /// Compilers need more than most jobs.
    public static final Limits USUAL_LIMITS =
            new Limits(2048 * MIB, 0, Limits.DEFAULT.pids(), Limits.DEFAULT.time(), 1024 * MIB, 16_384 * MIB);

    public BuildOrder {
        secrets = Map.copyOf(secrets);
    }

    /// Names no secret.
    @Override
    public String toString() {
        return "BuildOrder[id=" + id + ", name=" + name + "]";
    }
}
