package dev.bobbin.image.archive;

import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Unpacks the archive of a layer into a directory that overlayfs mounts as a lower one: whiteouts become character
/// devices 0:0, opaque directories get `trusted.overlay.opaque`, everything else is what it was. The same archive over
/// the same parents always gives the same tree. Needs root; safe for many threads.
///
/// The directory must lie in one that only root can enter: it holds the image's setuid programs and devices.
///
/* Each layer is unpacked by a thread of its own, which has given up the right to write anywhere but in its directory
 * (Landlock, where the kernel has it): a second fence, should the checks of names and links ever fail. */
public final class LayerExtractor {
    private final ExtractionLimits limits;

    public LayerExtractor(ExtractionLimits limits) {
        this.limits = limits;
    }

    /// Unpacks `tar`, which is read to its end and not closed. After a failure the directory holds anything.
    ///
    /// @param tar uncompressed
    /// @param directory an empty one
    /// @param parents the unpacked layers below, topmost first
    /// @throws ImageException INVALID if the archive is malformed, hostile or over a limit; DISK_FULL
    /// @throws IOException if `tar` cannot be read, or the machine fails
    public Extracted extract(InputStream tar, Path directory, List<Path> parents) throws IOException {
        return Fence.around(directory, () -> {
            try (var tree = new Tree(directory, parents)) {
                var archive = new LayerArchive(tar, limits);
                var extraction =
                        new Extraction(tree, (entry, at, name) -> archive.create(entry, at.descriptor(), name), limits);
                for (var entry = archive.next(); entry != null; entry = archive.next()) {
                    extraction.place(entry);
                }
                tree.finish();
                return archive.extracted();
            } catch (KernelException e) {
                throw translate(e, directory);
            }
        });
    }

    /// Does all that can be done before the layers below are there: reads `tar`, and keeps its contents in `parts`, an
    /// empty directory. Nothing if the archive has too many entries; then it may not be read to its end.
    public Optional<StagedLayer> stage(InputStream tar, Path parts) throws IOException {
        return Fence.around(parts, () -> {
            try {
                var archive = new LayerArchive(tar, limits);
                var entries = StagedLayer.read(archive, parts);
                return entries.isEmpty()
                        ? Optional.empty()
                        : Optional.of(new StagedLayer(parts, entries, archive.extracted(), limits));
            } catch (KernelException e) {
                throw translate(e, parts);
            }
        });
    }

    /// Writes everything that the file system of `directory` holds in memory to its disk.
    public static void synchronize(Path directory) throws IOException {
        var descriptor = Kernel.openDirectory(directory);
        try {
            Kernel.synchronizeFileSystem(descriptor);
        } catch (KernelException e) {
            throw translate(e, directory);
        } finally {
            Kernel.close(descriptor);
        }
    }

    static IOException translate(KernelException failure, Path directory) {
        if (failure.isDiskFull()) {
            throw new ImageException(
                    ImageProblem.DISK_FULL, "no room left to unpack a layer into " + directory, failure);
        }
        return failure;
    }

    /// What came of it.
    ///
    /// @param entries files, directories, links and whiteouts in the archive
    /// @param bytes content of all files, holes left out
    public record Extracted(long entries, long bytes) {}
}
