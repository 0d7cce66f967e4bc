package dev.bobbin.image.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/// The layers of the image `host`: the newest, and older ones as long as a job stands on them.
final class HostLayers {
    private static final String PREFIX = "host-";

    private final Disk disk;
    private final Map<String, Integer> users = new HashMap<>();
    private String newest = "";
    private boolean swept;

    HostLayers(Disk disk) {
        this.disk = disk;
    }

    static boolean isName(String layer) {
        return layer.startsWith(PREFIX) && layer.indexOf('/') < 0;
    }

    /// Puts what was made aside to its place, as the newest, and gives its name.
    synchronized String add(Path made) throws IOException {
        var before = newest;
        newest = PREFIX + UUID.randomUUID();
        Files.move(made, path(newest), StandardCopyOption.ATOMIC_MOVE);
        if (!before.isEmpty()) {
            discardUnused(before);
        }
        return newest;
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

    /// Takes away what an earlier server left and no job stands on. To be called when all that outlived it is held.
    synchronized void sweep() throws IOException {
        if (swept) {
            return;
        }
        swept = true;
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
