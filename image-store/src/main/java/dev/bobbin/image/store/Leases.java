package dev.bobbin.image.store;

import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.Layer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// Gives out images to run, and keeps their layers as long as somebody runs them.
final class Leases {
    /// Accounts that are remembered; more images than are in use at a time.
    private static final int MOST_ACCOUNTS = 1_000;

    private final Disk disk;
    private final Index index;
    private final Layers layers;
    private final Pins pins;
    private final Garbage garbage;
    private final Map<Digest, Accounts> accounts = new ConcurrentHashMap<>();

    Leases(Disk disk, Index index, Layers layers, Pins pins, Garbage garbage) {
        this.disk = disk;
        this.index = index;
        this.layers = layers;
        this.pins = pins;
        this.garbage = garbage;
    }

    /// The image of `entry`, or nothing if that name is not it any more.
    Optional<Rootfs> lease(Entry entry) {
        var chains = entry.chains();
        pins.pin(chains);
        if (!index.current(entry)) {
            release(chains);
            return Optional.empty();
        }
        try {
            var names = chains.reversed().stream().map(Layers::name).toList();
            var users = accounts(chains);
            index.use(entry);
            return Optional.of(
                    new Rootfs(entry.reference(), entry.config(), names, false, users, () -> release(chains)));
        } catch (IOException | RuntimeException e) {
            release(chains);
            throw e instanceof IOException failed
                    ? Disk.failure("read the users of image " + entry.reference(), failed)
                    : (RuntimeException) e;
        }
    }

    /// A stack of layers that are here and pinned by the caller.
    Rootfs stand(ImageReference shown, ImageConfig config) {
        var chains = Chains.of(config.origin().diffIds());
        pins.pin(chains);
        try {
            var names = chains.reversed().stream().map(Layers::name).toList();
            return new Rootfs(shown, config, names, false, accounts(chains), () -> release(chains));
        } catch (IOException e) {
            release(chains);
            throw Disk.failure("read the users of " + shown, e);
        }
    }

    /// Takes blobs away in the background that were made here and that nobody needs after all.
    void discard(List<Digest> blobs) {
        disk.later("discard", () -> garbage.discard(blobs));
    }

    /// Keeps a layer that was made here, and what it unpacks to on others, until the result is closed.
    AutoCloseable keep(Layer layer, List<Digest> diffIds) {
        var kept = new ArrayList<>(List.of(layer.blob().digest()));
        Chains.of(diffIds).stream().reduce((_, last) -> last).ifPresent(kept::add);
        pins.pin(kept);
        return () -> pins.unpin(kept);
    }

    /// Keeps layers by the names that a [Rootfs] gave them.
    AutoCloseable hold(List<String> names) {
        var chains = names.stream().map(Layers::named).flatMap(Optional::stream).toList();
        pins.pin(chains);
        return () -> release(chains);
    }

    private void release(List<Digest> chains) {
        pins.unpin(chains);
        if (!chains.isEmpty() && !index.needs(chains.getLast())) {
            disk.later("release", () -> garbage.release(chains));
        }
    }

    private Accounts accounts(List<Digest> chains) throws IOException {
        if (chains.isEmpty()) {
            return Accounts.read(List.of());
        }
        var known = accounts.get(chains.getLast());
        if (known == null) {
            List<Path> paths = chains.reversed().stream().map(layers::path).toList();
            known = Accounts.read(paths);
            if (accounts.size() >= MOST_ACCOUNTS) {
                accounts.clear();
            }
            accounts.put(chains.getLast(), known);
        }
        return known;
    }
}
