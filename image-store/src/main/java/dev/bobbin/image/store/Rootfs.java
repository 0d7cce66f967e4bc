package dev.bobbin.image.store;

import dev.bobbin.image.Identity;
import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageReference;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/// A leased, ready-to-mount stack of layers. Owned by whoever leased it; closing it releases the layers to `prune`.
public final class Rootfs implements AutoCloseable {
    private final ImageReference reference;
    private final ImageConfig config;
    private final List<String> layers;
    private final boolean hostTrees;
    private final Accounts accounts;
    private final Runnable release;
    private final AtomicBoolean closed = new AtomicBoolean();

    Rootfs(
            ImageReference reference,
            ImageConfig config,
            List<String> layers,
            boolean hostTrees,
            Accounts accounts,
            Runnable release) {
        this.reference = reference;
        this.config = config;
        this.layers = List.copyOf(layers);
        this.hostTrees = hostTrees;
        this.accounts = accounts;
        this.release = release;
    }

    /// The image that was found.
    public ImageReference reference() {
        return reference;
    }

    public ImageConfig config() {
        return config;
    }

    /// Names of directories below [ImageStore#layers], topmost first.
    public List<String> layers() {
        return layers;
    }

    /// Whether the trees of [ImageStore#hostTrees] belong into it.
    public boolean hostTrees() {
        return hostTrees;
    }

    /// Who `user` is in this image (`name`, `uid`, `name:group`, `uid:gid`), or nothing if it has no such user.
    public Optional<Identity> identity(String user) {
        return accounts.identity(user);
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            release.run();
        }
    }
}
