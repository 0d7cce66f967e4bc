package dev.bobbin.runner.build;

import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.Layer;
import dev.bobbin.image.store.Rootfs;
import dev.bobbin.image.store.Workshop;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What all blocks of a build share.
///
/// @param layersDir below which unpacked layers lie
/// @param scratch for what is needed for a moment
record Site(
        BuildOrder order, Workshop workshop, Commands commands, Path layersDir, Path scratch, BuildWatcher watcher) {
    private static final ImageReference SHOWN = new ImageReference("build");
    private static final ImageConfig PLAIN = new ImageConfig(Map.of(), List.of(), List.of(), "root", "/");

    /// Layers that are in use, as a tree and ready to be stood on.
    record Ground(Rootfs rootfs, LayeredTree tree) implements AutoCloseable {
        @Override
        public void close() {
            rootfs.close();
        }
    }

    /// Where blocks copy from.
    interface Sources {
        /// The layers of a stack, the lowest first; nothing for the context.
        Optional<List<Layer>> layers(Source source) throws InterruptedException;

        BuildContext context();
    }

    /// A stack of layers, the lowest first.
    Ground stand(List<Layer> layers) {
        var rootfs = workshop.lease(SHOWN, PLAIN, layers);
        return new Ground(rootfs, new LayeredTree(directories(rootfs)));
    }

    /// Where they lie, the topmost first.
    List<Path> directories(Rootfs rootfs) {
        return rootfs.layers().stream().map(layersDir::resolve).toList();
    }
}
