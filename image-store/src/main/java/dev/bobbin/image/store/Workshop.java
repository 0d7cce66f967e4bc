package dev.bobbin.image.store;

import dev.bobbin.image.Descriptor;
import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageManifest;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.Layer;
import dev.bobbin.image.MediaTypes;
import java.io.BufferedOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.security.DigestOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/// Where one owner makes images, layer by layer. Nothing that it gave or was shown is taken away before it is closed;
/// what it made and nobody needs goes then. Safe for many threads.
public final class Workshop implements AutoCloseable {
    private static final int BUFFER = 64 * 1024;

    private final String owner;
    private final Blobs blobs;
    private final Index index;
    private final Newcomers newcomers;
    private final Knowledge knowledge;
    private final Leases leases;
    private final Pins pins;
    private final long largestLayer;
    private final List<Digest> held = new ArrayList<>();
    private final List<Digest> made = new ArrayList<>();

    Workshop(
            String owner,
            Blobs blobs,
            Index index,
            Newcomers newcomers,
            Knowledge knowledge,
            Leases leases,
            Pins pins,
            long largestLayer) {
        this.owner = owner;
        this.blobs = blobs;
        this.index = index;
        this.newcomers = newcomers;
        this.knowledge = knowledge;
        this.leases = leases;
        this.pins = pins;
        this.largestLayer = largestLayer;
    }

    /// An image to begin on.
    ///
    /// @param digest of its manifest
    /// @param layers the lowest first
    public record Ground(Digest digest, ImageConfig config, List<Layer> layers) {
        public Ground {
            layers = List.copyOf(layers);
        }
    }

    /// What is to become a layer.
    @FunctionalInterface
    public interface Contents {
        /// Writes an uncompressed tar archive.
        void writeTo(OutputStream tar) throws IOException;
    }

    /// The image of this name that the owner sees; nothing if there is none that can be used.
    public Optional<Ground> ground(ImageReference reference) {
        while (true) {
            var found = index.find(owner, reference).filter(entry -> entry.problem() == null);
            if (found.isEmpty()) {
                return Optional.empty();
            }
            var entry = found.get();
            var parts = new ArrayList<Digest>(entry.blobs());
            parts.addAll(entry.chains());
            hold(parts);
            if (index.current(entry)) {
                index.use(entry);
                return Optional.of(new Ground(entry.manifestDescriptor().digest(), entry.config(), layers(entry)));
            }
        }
    }

    private static List<Layer> layers(Entry entry) {
        var diffIds = entry.config().origin().diffIds();
        var layers = new ArrayList<Layer>();
        for (var number = 0; number < diffIds.size(); number++) {
            layers.add(new Layer(entry.manifest().layers().get(number), diffIds.get(number)));
        }
        return layers;
    }

    /// Makes a layer. The same contents give the same layer.
    ///
    /// @throws ImageException INVALID if no layer may be like that
    /// @throws IOException what `contents` throws
    public Layer make(Contents contents) throws IOException {
        var pinned = new ArrayList<Digest>();
        try (var arrival = blobs.arrival("sha256")) {
            var hasher = Digest.hasher("sha256");
            var gzip = new Fast(new BufferedOutputStream(arrival, BUFFER));
            var tar = new BufferedOutputStream(new DigestOutputStream(gzip, hasher), BUFFER);
            contents.writeTo(new Bounded(tar, largestLayer));
            tar.flush();
            gzip.finish();
            gzip.flush();
            var layer =
                    new Layer(arrival.keepPinned(MediaTypes.OCI_LAYER_GZIP, pins, pinned), Digest.of("sha256", hasher));
            prove(layer);
            return layer;
        } finally {
            noteMade(pinned);
        }
    }

    /// Whether a layer that was made here before, for this owner, still is in the store.
    public boolean has(Layer layer) {
        hold(List.of(layer.blob().digest()));
        if (!blobs.has(layer.blob())) {
            return false;
        }
        prove(layer);
        return true;
    }

    private void prove(Layer layer) {
        knowledge.note(owner, layer.blob().digest());
        knowledge.prove(layer.blob().digest(), layer.diffId());
    }

    /// A stack of layers, ready to mount.
    ///
    /// @param shown what messages call it
    /// @param layers the lowest first
    public Rootfs lease(ImageReference shown, ImageConfig config, List<Layer> layers) {
        var whole = of(config, layers);
        try (var newcomer = newcomers.expect(layers.stream().map(Layer::blob).toList(), whole)) {
            assemble(newcomer, manifest(Descriptor.of(MediaTypes.OCI_CONFIG, new byte[0]), layers));
            return leases.stand(shown, whole);
        }
    }

    private void assemble(Newcomers.Newcomer newcomer, ImageManifest manifest) {
        newcomer.assemble(
                owner,
                manifest,
                layer -> {
                    throw ImageException.invalid("layer " + layer.digest() + " is gone");
                },
                _ -> {});
    }

    /// Makes an image of layers, the lowest first, and gives it a name.
    ///
    /// @param config written as it is, but for the layers in its origin
    public Image name(ImageReference reference, ImageConfig config, List<Layer> layers) {
        if (reference.isReserved()) {
            throw ImageException.invalid("\"host\" is this machine itself; it cannot be made");
        }
        var whole = of(config, layers);
        var earlier = earlier(reference, manifest(Descriptor.of(MediaTypes.OCI_CONFIG, whole.bytes()), layers));
        if (earlier.isPresent()) {
            return earlier.get();
        }
        var configBlob = put(MediaTypes.OCI_CONFIG, whole.bytes());
        var manifest = manifest(configBlob, layers);
        var manifestBlob = put(MediaTypes.OCI_MANIFEST, manifest.bytes());
        var parts = new ArrayList<>(List.of(manifestBlob, configBlob));
        parts.addAll(manifest.layers());
        try (var newcomer = newcomers.expect(parts, whole)) {
            assemble(newcomer, manifest);
            return newcomer.name(owner, reference, manifestBlob, null);
        }
    }

    /// The image that has the name if it is this very one, so that nothing has to go to the disk.
    private Optional<Image> earlier(ImageReference reference, ImageManifest manifest) {
        var digest = Digest.sha256(manifest.bytes());
        if (ground(reference).filter(ground -> ground.digest().equals(digest)).isEmpty()) {
            return Optional.empty();
        }
        return index.find(owner, reference)
                .filter(entry -> entry.owner().equals(owner))
                .filter(entry -> entry.manifestDescriptor().digest().equals(digest))
                .map(entry -> entry.image(index.lastUsed(entry)));
    }

    private static ImageConfig of(ImageConfig config, List<Layer> layers) {
        var origin = config.origin();
        return config.withOrigin(new ImageConfig.Origin(
                origin.platform(),
                origin.created(),
                layers.stream().map(Layer::diffId).toList(),
                origin.history()));
    }

    private static ImageManifest manifest(Descriptor config, List<Layer> layers) {
        var blobs = layers.stream().map(Layer::blob).toList();
        return new ImageManifest(MediaTypes.OCI_MANIFEST, config, blobs, Map.of());
    }

    private Descriptor put(String mediaType, byte[] content) {
        var pinned = new ArrayList<Digest>();
        try (var arrival = blobs.arrival("sha256")) {
            arrival.write(content, 0, content.length);
            return arrival.keepPinned(mediaType, pins, pinned);
        } finally {
            noteMade(pinned);
        }
    }

    private void noteMade(List<Digest> digests) {
        noteHeld(digests);
        synchronized (held) {
            made.addAll(digests);
        }
    }

    private void hold(List<Digest> digests) {
        pins.pin(digests);
        noteHeld(digests);
    }

    private void noteHeld(List<Digest> digests) {
        synchronized (held) {
            held.addAll(digests);
        }
    }

    @Override
    public void close() {
        synchronized (held) {
            pins.unpin(held);
            held.clear();
            leases.discard(List.copyOf(made));
            made.clear();
        }
    }

    /// Passes on no more than it may.
    private static final class Bounded extends FilterOutputStream {
        private final long most;
        private long left;

        Bounded(OutputStream out, long most) {
            super(out);
            this.most = most;
            this.left = most;
        }

        @Override
        public void write(int single) throws IOException {
            write(new byte[] {(byte) single}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            left -= length;
            if (left < 0) {
                throw ImageException.invalid("a layer would have more than " + most + " bytes");
            }
            out.write(bytes, offset, length);
        }
    }

    /// Layers are read far more often than they travel.
    private static final class Fast extends GZIPOutputStream {
        Fast(OutputStream out) throws IOException {
            super(out, BUFFER);
            def.setLevel(Deflater.BEST_SPEED);
        }
    }
}
