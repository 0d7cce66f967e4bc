package dev.bobbin.image.store;

import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageManifest;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.PullProgress;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Images that are about to come into the store: nothing of them is taken away until they have a name.
final class Newcomers {
    private static final System.Logger LOG = System.getLogger(Newcomers.class.getName());

    private final Disk disk;
    private final Index index;
    private final Layers layers;
    private final Assembly assembly;
    private final Pins pins;

    Newcomers(Disk disk, Index index, Layers layers, Assembly assembly, Pins pins) {
        this.disk = disk;
        this.index = index;
        this.layers = layers;
        this.assembly = assembly;
        this.pins = pins;
    }

    /// An image of these parts. Ask whether something is there only after this.
    Newcomer expect(List<Descriptor> parts, ImageConfig config) {
        return new Newcomer(parts, config);
    }

    final class Newcomer implements AutoCloseable {
        private final ImageConfig config;
        private final List<Digest> chains;
        private final List<Digest> pinned = new ArrayList<>();

        private Newcomer(List<Descriptor> parts, ImageConfig config) {
            this.config = config;
            this.chains = Chains.of(config.origin().diffIds());
            parts.forEach(part -> pinned.add(part.digest()));
            pinned.addAll(chains);
            pins.pin(pinned);
        }

        /// Makes its layers ready, out of what `owner` knows and what the source gives.
        void assemble(String owner, ImageManifest manifest, Assembly.Source source, Consumer<PullProgress> progress) {
            assembly.ready(owner, manifest, config, source, progress);
        }

        /// Gives it a name.
        ///
        /// @param manifests the index through which it was found, if any
        Image name(String owner, ImageReference reference, Descriptor manifest, @Nullable Descriptor manifests) {
            var entry = index.entry(owner, reference, manifest, manifests, Instant.now());
            index.put(entry);
            disk.later("synchronize", this::synchronize);
            return entry.image(index.lastUsed(entry));
        }

        private void synchronize() {
            try {
                layers.synchronize(chains);
            } catch (IOException e) {
                LOG.log(Level.WARNING, "layers are not known to be on the disk: " + e.getMessage());
            }
        }

        @Override
        public void close() {
            pins.unpin(pinned);
        }
    }
}
