package dev.bobbin.image.store;

import dev.bobbin.image.ImageReference;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The store of images on disk. Safe for use by many threads; one process owns the directory.
public final class ImageStore implements AutoCloseable {
    private final Path layers;
    private final @Nullable HostImage host;

    private ImageStore(Path layers, @Nullable HostImage host) {
        this.layers = layers;
        this.host = host;
    }

    /// Opens the store below `directory`, which is made if absent.
    ///
    /// @param hostImage whether the built-in image `host` is offered; off for machines with many tenants
    public static ImageStore open(Path directory, boolean hostImage) {
        try {
            var layers = directory.resolve("layers");
            Files.createDirectories(
                    layers, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            return new ImageStore(layers, hostImage ? HostImage.make(layers) : null);
        } catch (IOException e) {
            throw new UncheckedIOException("open the image store in " + directory, e);
        }
    }

    /// The directory below which the layers of every [Rootfs] lie.
    public Path layers() {
        return layers;
    }

    /// Directories of this machine that the image `host` shows; empty if it is not offered.
    public List<Path> hostTrees() {
        return host == null ? List.of() : HostImage.trees();
    }

    /// The image that `reference` names, ready to mount, or nothing if the store has none.
    public Optional<Rootfs> lease(ImageReference reference) {
        return reference.isHost() ? Optional.ofNullable(host).map(HostImage::lease) : Optional.empty();
    }

    @Override
    public void close() {}
}
