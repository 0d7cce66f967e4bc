package dev.bobbin.image.store;

import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageReference;
import java.util.List;

/// A leased, ready-to-mount stack of layers; closing it releases the layers to `prune`.
public record Rootfs(ImageReference reference, ImageConfig config, List<String> layers, boolean hostTrees)
        implements AutoCloseable {
    @Override
    public void close() {}
}
