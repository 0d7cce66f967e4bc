package dev.bobbin.image.store;

import dev.bobbin.image.ImageReference;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The store of images on disk. Safe for use by many threads; one process owns the directory.
public final class ImageStore implements AutoCloseable {
    private final FileChannel lock;
    private final Path layers;
    private final @Nullable HostImage host;

    private ImageStore(FileChannel lock, Path layers, @Nullable HostImage host) {
        this.lock = lock;
        this.layers = layers;
        this.host = host;
    }

    /// Opens the store below `directory`, which is made if absent.
    ///
    /// @throws IllegalStateException if another process owns it
    /// @param hostImage whether the built-in image `host` is offered; off for machines with many tenants
    public static ImageStore open(Path directory, boolean hostImage) {
        try {
            var layers = directory.resolve("layers");
            Files.createDirectories(
                    layers, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            var lock = own(directory);
            try {
                return new ImageStore(lock, layers, hostImage ? HostImage.make(layers) : null);
            } catch (IOException | RuntimeException e) {
                lock.close();
                throw e;
            }
        } catch (IOException e) {
            throw new UncheckedIOException("open the image store in " + directory, e);
        }
    }

    /// Takes the directory for this process; the kernel lets go of it when the process ends.
    private static FileChannel own(Path directory) throws IOException {
        var channel = FileChannel.open(directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            if (channel.tryLock() != null) {
                return channel;
            }
        } catch (OverlappingFileLockException _) {
            // owned by this very process: the answer is the same
        }
        channel.close();
        throw new IllegalStateException(
                directory + " is in use by another Bobbin; stop it or choose another directory");
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
    public void close() {
        try {
            lock.close();
        } catch (IOException _) {
            // the kernel lets go of it all the same
        }
    }
}
