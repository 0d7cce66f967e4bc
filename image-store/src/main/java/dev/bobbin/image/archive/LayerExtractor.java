package dev.bobbin.image.archive;

import static dev.bobbin.image.ImageException.invalid;

import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.util.List;

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

    /// Whether this machine's kernel keeps the unpacking thread inside its directory. Where it does not, the checks of
    /// names and links are the only fence.
    public static boolean isFenced() {
        return Kernel.canConfine();
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
                return new Extraction(tree, new BoundedStream(tar, limits), limits).run();
            } catch (KernelException e) {
                throw translate(e, directory);
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

    private static IOException translate(KernelException failure, Path directory) {
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

    /// One archive on its way into one tree.
    private static final class Extraction {
        private static final String WHITEOUT = ".wh.";
        private static final String OPAQUE = ".wh..wh..opq";
        private static final int CHUNK = 128 * 1024;

        private final Tree tree;
        private final BoundedStream in;
        private final TarReader tar;
        private final ExtractionLimits limits;
        private final byte[] chunk = new byte[CHUNK];
        private final ByteBuffer direct = ByteBuffer.allocateDirect(CHUNK);
        private long entries;
        private long bytes;

        Extraction(Tree tree, BoundedStream in, ExtractionLimits limits) {
            this.tree = tree;
            this.in = in;
            this.tar = new TarReader(in);
            this.limits = limits;
        }

        Extracted run() throws IOException {
            for (var entry = tar.next(); entry != null; entry = tar.next()) {
                if (Thread.currentThread().isInterrupted()) {
                    throw new ClosedByInterruptException();
                }
                if (++entries > limits.entries()) {
                    throw invalid("a layer has more than " + limits.entries() + " entries");
                }
                place(entry);
                tree.rest();
            }
            in.transferTo(java.io.OutputStream.nullOutputStream());
            tree.finish();
            return new Extracted(entries, bytes);
        }

        private void place(TarEntry entry) throws IOException {
            var path = path(entry.name());
            try {
                if (path.isEmpty()) {
                    placeRoot(entry);
                } else {
                    place(entry, tree.directory(Names.parent(path)), Names.last(path));
                }
            } catch (KernelException e) {
                if (e.isCallersFault()) {
                    throw new ImageException(
                            ImageProblem.INVALID, "cannot unpack " + Names.shown(path) + ": " + e.getMessage(), e);
                }
                throw e;
            }
        }

        private void placeRoot(TarEntry entry) throws KernelException {
            if (entry.kind() != TarEntry.Kind.DIRECTORY) {
                throw invalid("a layer has something other than a directory as its root");
            }
            Metadata.apply(tree.directory(""), entry);
        }

        /// The path beneath the root that a name means; refuses those that try to leave it.
        private String path(String name) {
            if (name.isEmpty() || name.indexOf('\0') >= 0) {
                throw invalid("a layer has an entry without a proper name");
            }
            if (name.length() > limits.pathBytes()) {
                throw invalid("a layer has a path of more than " + limits.pathBytes() + " bytes");
            }
            var components = Names.components(name);
            if (components.size() > limits.depth()) {
                throw invalid("a layer has a path of more than " + limits.depth() + " directories");
            }
            for (var i = 0; i < components.size(); i++) {
                var component = components.get(i);
                if (component.equals("..")) {
                    throw invalid("a layer has an entry that leads out of it: " + Names.shown(name));
                }
                if (i < components.size() - 1 && component.startsWith(WHITEOUT)) {
                    throw invalid("a layer uses a whiteout as a directory: " + Names.shown(name));
                }
            }
            return String.join("/", components);
        }

        private void place(TarEntry entry, Directory at, String name) throws IOException {
            if (name.equals(OPAQUE)) {
                tree.hideBelow(at);
            } else if (name.startsWith(WHITEOUT)) {
                whiteOut(at, name.substring(WHITEOUT.length()));
            } else {
                switch (entry.kind()) {
                    case FILE -> placeFile(entry, at, name);
                    case DIRECTORY -> Metadata.apply(tree.makeDirectory(at, name), entry);
                    case HARD_LINK -> placeHardLink(path(entry.link()), at, name);
                    case SYMBOLIC_LINK -> placeLink(entry, at, name);
                    case CHARACTER_DEVICE -> {
                        if (entry.major() == 0 && entry.minor() == 0) {
                            whiteOut(at, name);
                        } else {
                            placeNode(entry, at, name, Kernel.CHARACTER_DEVICE);
                        }
                    }
                    case BLOCK_DEVICE -> placeNode(entry, at, name, Kernel.BLOCK_DEVICE);
                    case FIFO -> placeNode(entry, at, name, Kernel.FIFO);
                }
            }
        }

        /// Hides what parents have under a name; what this layer itself has there stays.
        private void whiteOut(Directory at, String name) throws KernelException {
            if (name.startsWith(".wh.")) {
                return; // bookkeeping of AUFS
            }
            if (name.isEmpty() || name.equals(".") || name.equals("..")) {
                throw invalid("a layer has a whiteout of no file, in " + Names.shown("/" + at.path()));
            }
            var own = Kernel.status(at.descriptor(), name);
            if (own != null && own.isDirectory()) {
                tree.hideBelow(tree.makeDirectory(at, name));
            } else if (own == null && tree.lookBelow(at, name) != null) {
                Kernel.makeNode(at.descriptor(), name, Kernel.CHARACTER_DEVICE, 0, 0);
                Kernel.setPermissions(at.descriptor(), name, 0);
                Kernel.setModified(at.descriptor(), name, Status.Time.EPOCH);
                at.touch();
            }
        }

        private void placeFile(TarEntry entry, Directory at, String name) throws IOException {
            var file = createFile(at, name);
            try {
                for (var segment : entry.segments()) {
                    write(file, segment);
                }
                var last = entry.segments().isEmpty() ? null : entry.segments().getLast();
                if (entry.size() > (last == null ? 0 : last.at() + last.length())) {
                    Kernel.truncate(file, entry.size());
                }
                Metadata.apply(file, entry);
            } finally {
                Kernel.close(file);
            }
        }

        private int createFile(Directory at, String name) throws KernelException {
            at.touch();
            try {
                return Kernel.createFile(at.descriptor(), name);
            } catch (KernelException e) {
                if (e.number() != KernelException.EXISTS) {
                    throw e;
                }
                tree.remove(at, name);
                return Kernel.createFile(at.descriptor(), name);
            }
        }

        private void write(int file, TarEntry.Segment segment) throws IOException {
            var position = segment.at();
            var end = position + segment.length();
            while (position < end) {
                var read = tar.read(chunk, 0, (int) Math.min(CHUNK, end - position));
                direct.clear().put(chunk, 0, read).flip();
                Kernel.write(file, direct, position);
                position += read;
                bytes += read;
            }
        }

        private void placeLink(TarEntry entry, Directory at, String name) throws KernelException {
            if (entry.link().isEmpty() || entry.link().indexOf('\0') >= 0) {
                throw invalid("a layer has a symbolic link to nothing: " + Names.shown(at.path(name)));
            }
            tree.remove(at, name);
            Kernel.makeLink(at.descriptor(), name, entry.link());
            Metadata.apply(at.descriptor(), name, entry);
            at.touch();
        }

        private void placeNode(TarEntry entry, Directory at, String name, int type) throws KernelException {
            tree.remove(at, name);
            Kernel.makeNode(at.descriptor(), name, type, entry.major(), entry.minor());
            Metadata.apply(at.descriptor(), name, entry);
            at.touch();
        }

        private void placeHardLink(String target, Directory at, String name) throws KernelException {
            var source = target.isEmpty() ? null : tree.find(Names.parent(target));
            var sight = source == null ? null : tree.look(source, Names.last(target));
            if (source == null || sight == null || sight.status().isDirectory()) {
                throw invalid("a layer has a hard link to no file: " + Names.shown(at.path(name)) + " to "
                        + Names.shown(target));
            }
            var path = source.path(Names.last(target));
            if (path.equals(at.path(name))) {
                return;
            }
            if (!tree.isHere(sight)) {
                tree.copyUp(sight, source, Names.last(target));
            }
            tree.remove(at, name);
            Kernel.makeHardLink(tree.root(), path, at.descriptor(), name);
            at.touch();
        }
    }
}
