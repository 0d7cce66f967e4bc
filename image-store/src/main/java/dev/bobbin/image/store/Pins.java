package dev.bobbin.image.store;

import dev.bobbin.image.Digest;
import java.util.HashMap;
import java.util.Map;

/// What must not be taken away although no name needs it: what is being pulled or loaded, and what jobs run on.
///
/// Whoever asks whether something is there pins it first; whoever takes something away does so while holding the lock
/// of this object, and only if it is not pinned.
final class Pins {
    private final Map<Digest, Integer> counts = new HashMap<>();

    synchronized void pin(Iterable<Digest> all) {
        all.forEach(one -> counts.merge(one, 1, Integer::sum));
    }

    synchronized void unpin(Iterable<Digest> all) {
        all.forEach(one -> counts.computeIfPresent(one, (_, count) -> count == 1 ? null : count - 1));
    }

    synchronized boolean pinned(Digest one) {
        return counts.containsKey(one);
    }
}
