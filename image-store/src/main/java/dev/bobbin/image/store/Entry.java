package dev.bobbin.image.store;

import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageManifest;
import dev.bobbin.image.ImageReference;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A name in the index and all that is known of what it names.
///
/// @param index the index through which it was found, if any; without a size if its document was not kept
/// @param unpackedBytes of all its layers
/// @param problem see [Image#problem]
record Entry(
        String owner,
        ImageReference reference,
        Descriptor manifestDescriptor,
        @Nullable Descriptor index,
        ImageManifest manifest,
        ImageConfig config,
        long unpackedBytes,
        Instant pulledAt,
        @Nullable String problem) {

    /// The names of the directories of its layers, the lowest first.
    List<Digest> chains() {
        return Chains.of(config.origin().diffIds());
    }

    /// All content that it needs.
    Set<Digest> blobs() {
        var all = new HashSet<Digest>();
        parts().forEach(part -> all.add(part.digest()));
        return all;
    }

    List<Descriptor> parts() {
        var all = new ArrayList<Descriptor>();
        all.add(manifestDescriptor);
        all.add(manifest.config());
        all.addAll(manifest.layers());
        keptIndex().ifPresent(all::add);
        return all;
    }

    Optional<Descriptor> keptIndex() {
        return Optional.ofNullable(index).filter(document -> document.size() > 0);
    }

    /// Whether `digest` is of its manifest or its index.
    boolean is(Digest digest) {
        return digest.equals(manifestDescriptor.digest()) || (index != null && digest.equals(index.digest()));
    }

    Entry named(String newOwner, ImageReference newReference) {
        return new Entry(
                newOwner,
                newReference,
                manifestDescriptor,
                index,
                manifest,
                config,
                unpackedBytes,
                Instant.now(),
                problem);
    }

    Image image(Instant lastUsedAt) {
        return new Image(
                owner,
                reference,
                manifestDescriptor.digest(),
                config,
                manifest.size(),
                unpackedBytes,
                pulledAt,
                lastUsedAt,
                problem);
    }
}
