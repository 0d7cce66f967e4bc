package dev.bobbin.image.store;

import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageReference;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// Takes away what nobody needs.
final class Garbage {
    private final Blobs blobs;
    private final Layers layers;
    private final Index index;
    private final Pins pins;

    Garbage(Blobs blobs, Layers layers, Index index, Pins pins) {
        this.blobs = blobs;
        this.layers = layers;
        this.index = index;
        this.pins = pins;
    }

    Pruned prune(PrunePolicy policy) {
        var removed = new ArrayList<ImageReference>();
        var unusedFor = policy.unusedFor();
        if (unusedFor != null) {
            var before = Instant.now().minus(unusedFor);
            for (var entry : byUse()) {
                if (!index.lastUsed(entry).isAfter(before)) {
                    forget(entry, removed);
                }
            }
        }
        var pruned = collect();
        var keepBytes = policy.keepBytes();
        if (keepBytes != null) {
            for (var entry : byUse()) {
                if (usage().bytes() <= keepBytes) {
                    break;
                }
                forget(entry, removed);
                pruned = sum(pruned, collect());
            }
        }
        return new Pruned(removed, pruned.layers(), pruned.blobs(), pruned.freedBytes());
    }

    /// Takes away all content and layers that no name needs and nobody has pinned.
    Pruned collect() {
        try {
            var freed = 0L;
            var layerCount = 0;
            var blobCount = 0;
            for (var chain : layers.all()) {
                var bytes = layers.bytes(chain);
                if (discardLayer(chain)) {
                    layerCount++;
                    freed += bytes;
                }
            }
            for (var digest : blobs.all()) {
                synchronized (pins) {
                    if (!free(digest)) {
                        continue;
                    }
                    freed += blobs.size(digest);
                    blobs.discard(digest);
                }
                blobCount++;
            }
            return new Pruned(List.of(), layerCount, blobCount, freed);
        } catch (IOException e) {
            throw new UncheckedIOException("prune the image store", e);
        }
    }

    /// Takes those of these layers away that no name needs and nobody has pinned.
    void release(List<Digest> chains) {
        for (var chain : chains) {
            if (!index.needs(chain)) {
                try {
                    discardLayer(chain);
                } catch (IOException e) {
                    throw new UncheckedIOException("remove layer " + chain, e);
                }
            }
        }
    }

    /// Takes those of these blobs away that no name needs and nobody has pinned.
    void discard(List<Digest> all) {
        for (var digest : all) {
            synchronized (pins) {
                if (free(digest)) {
                    try {
                        blobs.discard(digest);
                    } catch (IOException e) {
                        throw new UncheckedIOException("remove blob " + digest, e);
                    }
                }
            }
        }
    }

    StoreUsage usage() {
        try {
            var blobBytes = 0L;
            var layerBytes = 0L;
            var reclaimable = 0L;
            for (var chain : layers.all()) {
                var bytes = layers.bytes(chain);
                layerBytes += bytes;
                reclaimable += free(chain) ? bytes : 0;
            }
            for (var digest : blobs.all()) {
                var bytes = java.nio.file.Files.size(blobs.path(digest));
                blobBytes += bytes;
                reclaimable += free(digest) ? bytes : 0;
            }
            return new StoreUsage((int) index.all().count(), blobBytes, layerBytes, reclaimable);
        } catch (java.nio.file.NoSuchFileException _) {
            return usage();
        } catch (IOException e) {
            throw new UncheckedIOException("measure the image store", e);
        }
    }

    private boolean discardLayer(Digest chain) throws IOException {
        synchronized (pins) {
            if (!free(chain)) {
                return false;
            }
            layers.discard(chain);
            return true;
        }
    }

    private boolean free(Digest digest) {
        return !pins.pinned(digest) && !index.needs(digest);
    }

    private void forget(Entry entry, List<ImageReference> removed) {
        var leased = !entry.chains().isEmpty() && pins.pinned(entry.chains().getLast());
        if (!leased && index.remove(entry)) {
            removed.add(entry.reference());
        }
    }

    private List<Entry> byUse() {
        return index.all().sorted(Comparator.comparing(index::lastUsed)).toList();
    }

    private static Pruned sum(Pruned one, Pruned other) {
        return new Pruned(
                List.of(),
                one.layers() + other.layers(),
                one.blobs() + other.blobs(),
                one.freedBytes() + other.freedBytes());
    }
}
