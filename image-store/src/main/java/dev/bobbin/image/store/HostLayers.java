package dev.bobbin.image.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/// The layers of the image `host`: the newest, and older ones as long as a job stands on them. A layer is called after
/// its
/// content and the boot in which it was made, since nobody brings its files to the disk.
final class HostLayers {
    private static final String PREFIX = "host-";

    private final Disk disk;
    private final Map<String, Integer> users = new HashMap<>();
    private String newest = "";

    HostLayers(Disk disk) {
        this.disk = disk;
    }

    static boolean isName(String layer) {
        return layer.startsWith(PREFIX) && layer.indexOf('/') < 0;
    }

    /// What a layer made from `content` is called.
    static String name(String content) throws IOException {
        var boot = Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).substring(0, 8);
        return PREFIX + boot + "-" + UUID.nameUUIDFromBytes(content.getBytes(StandardCharsets.UTF_8));
    }

    /// Puts what was made aside to its place, as the newest.
    synchronized void add(String layer, Path made) throws IOException {
        Files.move(made, path(layer), StandardCopyOption.ATOMIC_MOVE);
        makeNewest(layer);
    }

    /// Leases are of `layer` from now on.
    ///
    /// @return whether there is such a layer
    synchronized boolean makeNewest(String layer) throws IOException {
        if (!Files.exists(path(layer))) {
            return false;
        }
        var before = newest;
        newest = layer;
        if (!before.isEmpty()) {
            discardUnused(before);
        }
        return true;
    }

    Path path(String layer) {
        return disk.layers().resolve(layer);
    }

    /// Keeps a layer until the lease is closed; nothing if it is gone.
    synchronized Optional<Runnable> lease(String layer) {
        if (!Files.exists(path(layer))) {
            return Optional.empty();
        }
        users.merge(layer, 1, Integer::sum);
        return Optional.of(() -> release(layer));
    }

    private synchronized void release(String layer) {
        users.computeIfPresent(layer, (_, count) -> count == 1 ? null : count - 1);
        try {
            discardUnused(layer);
        } catch (IOException e) {
            throw new UncheckedIOException("remove layer " + layer, e);
        }
    }

    /// Takes away what nobody stands on.
    synchronized void sweep() throws IOException {
        try (var left = Files.newDirectoryStream(disk.layers(), PREFIX + "*")) {
            for (var layer : left) {
                discardUnused(layer.getFileName().toString());
            }
        }
    }

    private void discardUnused(String layer) throws IOException {
        if (!layer.equals(newest) && !users.containsKey(layer)) {
            disk.discard(path(layer));
        }
    }
}
