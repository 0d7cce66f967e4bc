package dev.bobbin.image.archive;

import static dev.bobbin.image.ImageException.invalid;

import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import java.io.IOException;

/// The entries of one archive on their way into one tree.
final class Extraction {
    private static final String WHITEOUT = ".wh.";
    private static final String OPAQUE = ".wh..wh..opq";

    private final Tree tree;
    private final Contents contents;
    private final ExtractionLimits limits;

    Extraction(Tree tree, Contents contents, ExtractionLimits limits) {
        this.tree = tree;
        this.contents = contents;
        this.limits = limits;
    }

    /// Where the contents of files are.
    interface Contents {
        /// Makes a file that was not there, with content and metadata.
        void create(TarEntry entry, Directory at, String name) throws IOException;
    }

    /// Whether content of an entry of this name never becomes a file.
    static boolean isWhiteout(String name) {
        var components = Names.components(name);
        return !components.isEmpty() && components.getLast().startsWith(WHITEOUT);
    }

    /// Puts the next entry of the archive to its place.
    void place(TarEntry entry) throws IOException {
        var path = path(entry.name());
        try {
            if (path.isEmpty()) {
                placeRoot(entry);
            } else {
                place(entry, tree.directory(Names.parent(path)), Names.last(path));
            }
            tree.rest();
        } catch (KernelException e) {
            throw blamed(e, path);
        }
    }

    /// What failed, as the archive's fault if it is.
    static KernelException blamed(KernelException failure, String path) {
        if (failure.isCallersFault()) {
            throw new ImageException(
                    ImageProblem.INVALID, "cannot unpack " + Names.shown(path) + ": " + failure.getMessage(), failure);
        }
        return failure;
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
        at.touch();
        try {
            contents.create(entry, at, name);
        } catch (KernelException e) {
            if (e.number() != KernelException.EXISTS) {
                throw e;
            }
            tree.remove(at, name);
            contents.create(entry, at, name);
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
            throw invalid(
                    "a layer has a hard link to no file: " + Names.shown(at.path(name)) + " to " + Names.shown(target));
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
