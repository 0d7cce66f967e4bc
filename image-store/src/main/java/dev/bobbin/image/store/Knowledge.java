package dev.bobbin.image.store;

import dev.bobbin.image.Digest;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/// Which content an owner has had the bytes of: sent or pulled them, or has a name for an image that needs them. What
/// an owner does not know is not there for them, though it lies on the disk: a digest alone, in a manifest of their
/// own making, must not open somebody else's content.
final class Knowledge {
    /// Arrivals that are remembered until an image that needs them has a name; what is forgotten is fetched again.
    private static final int MOST_ARRIVALS = 50_000;

    private final Index index;
    private final Set<Arrived> arrivals = Collections.synchronizedSet(Collections.newSetFromMap(new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Arrived, Boolean> eldest) {
            return size() > MOST_ARRIVALS;
        }
    }));

    /// Layers made here, and what they unpack to.
    private final Map<Digest, Digest> proven = Collections.synchronizedMap(new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Digest, Digest> eldest) {
            return size() > MOST_ARRIVALS;
        }
    });

    Knowledge(Index index) {
        this.index = index;
    }

    boolean has(String owner, Digest digest) {
        return arrivals.contains(new Arrived(owner, digest)) || index.shows(owner, digest);
    }

    /// The bytes came from this owner, or for them from a registry; or from a repository, `HOST/PATH`, which no owner's
    /// name
    /// looks like.
    void note(String owner, Digest digest) {
        arrivals.add(new Arrived(owner, digest));
    }

    /// This server made the layer itself.
    void prove(Digest layer, Digest diffId) {
        proven.put(layer, diffId);
    }

    /// Whether it is known that a layer of this address unpacks to what has this diff id, whoever found out.
    boolean isProven(Digest layer, Digest diffId) {
        if (diffId.equals(proven.get(layer))) {
            return true;
        }
        return index.all().anyMatch(entry -> {
            var layers = entry.manifest().layers();
            var diffIds = entry.config().origin().diffIds();
            for (var number = 0; number < Math.min(layers.size(), diffIds.size()); number++) {
                if (layers.get(number).digest().equals(layer)
                        && diffIds.get(number).equals(diffId)) {
                    return true;
                }
            }
            return false;
        });
    }

    private record Arrived(String owner, Digest digest) {}
}
