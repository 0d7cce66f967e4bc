package dev.bobbin.image.archive;

import dev.bobbin.image.archive.LayerExtractor.Extracted;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// A layer of which all was read and uncompressed before the layers below were there: the contents of its files lie
/// numbered in a directory, and what else its archive says is held.
///
/* What costs time, the contents, does not depend on the layers below; names do: a symbolic link below decides where a
 * file goes, and a whiteout is nothing where nothing is below. So names are only looked at when the layers below are
 * there, entry by entry in the order of the archive, and the tree is the same as of a layer that never waited. */
public final class StagedLayer {
    /// Entries that are held in memory; a layer of more is not staged.
    static final int MOST_ENTRIES = 100_000;

    private final Path parts;
    private final List<TarEntry> entries;
    private final Extracted extracted;
    private final ExtractionLimits limits;

    StagedLayer(Path parts, List<TarEntry> entries, Extracted extracted, ExtractionLimits limits) {
        this.parts = parts;
        this.entries = List.copyOf(entries);
        this.extracted = extracted;
        this.limits = limits;
    }

    /// Reads all of an archive; nothing if it is too long for that.
    static List<TarEntry> read(LayerArchive archive, Path parts) throws IOException {
        var entries = new ArrayList<TarEntry>();
        var directory = Kernel.openDirectory(parts);
        try {
            for (var entry = archive.next(); entry != null; entry = archive.next()) {
                if (entries.size() == MOST_ENTRIES) {
                    return List.of();
                }
                if (isFile(entry)) {
                    archive.create(entry, directory, Integer.toString(entries.size()));
                }
                entries.add(entry);
            }
            return entries;
        } catch (KernelException e) {
            throw Extraction.blamed(e, "entry " + entries.size());
        } finally {
            Kernel.close(directory);
        }
    }

    private static boolean isFile(TarEntry entry) {
        return entry.kind() == TarEntry.Kind.FILE && !Extraction.isWhiteout(entry.name());
    }

    /// Puts everything to its place in `directory`, an empty one beside that of the contents, as
    /// [LayerExtractor#extract] would. Only once.
    public Extracted place(Path directory, List<Path> parents) throws IOException {
        return Fence.around(Objects.requireNonNull(directory.getParent()), () -> {
            var from = Kernel.openDirectory(parts);
            try (var tree = new Tree(directory, parents)) {
                place(tree, from);
                tree.finish();
            } catch (KernelException e) {
                throw LayerExtractor.translate(e, directory);
            } finally {
                Kernel.close(from);
            }
            return extracted;
        });
    }

    private void place(Tree tree, int from) throws IOException {
        var next = new int[1];
        var extraction = new Extraction(
                tree, (_, at, name) -> Kernel.move(from, Integer.toString(next[0]), at.descriptor(), name), limits);
        for (var entry : entries) {
            if (Thread.currentThread().isInterrupted()) {
                throw new java.nio.channels.ClosedByInterruptException();
            }
            extraction.place(entry);
            next[0]++;
        }
    }
}
