package dev.bobbin.image.store;

import dev.bobbin.image.Digest;
import java.util.ArrayList;
import java.util.List;

/// The addresses of layers upon what lies below them, as the OCI image specification computes chain ids.
final class Chains {
    private Chains() {}

    /// One for each layer, the lowest first.
    static List<Digest> of(List<Digest> diffIds) {
        var chains = new ArrayList<Digest>();
        for (var diffId : diffIds) {
            chains.add(chains.isEmpty() ? diffId : Digest.sha256(chains.getLast() + " " + diffId));
        }
        return List.copyOf(chains);
    }
}
