package dev.bobbin.runner.build;

import dev.bobbin.runner.kernel.RawPath;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The upper directory of a sandbox that has ended, written as a layer: with the ids that its programs saw, and only
/// what means something on the layers below.
final class Snapshot {
    private final Path upper;
    private final int base;
    private final Tree below;
    private final Set<String> omitted;
    private final Set<String> scaffolding;
    /// The name under which each file of several names was written.
    private final Map<Long, String> written = new HashMap<>();

    private long files;

    /// @param base the first of the sandbox's user ids
    /// @param below what the sandbox stood on
    /// @param omitted paths that are not the program's doing
    /// @param scaffolding paths that were made for the sandbox, if they are empty still and nothing is below
    Snapshot(Path upper, int base, Tree below, Set<String> omitted, Set<String> scaffolding) {
        this.upper = upper.toAbsolutePath();
        this.base = base;
        this.below = below;
        this.omitted = Set.copyOf(omitted);
        this.scaffolding = Set.copyOf(scaffolding);
    }

    /* Overlayfs marks only the outermost directory that hides what is below. So each step down carries what still shows
     * through it, which is nothing beneath a directory that is opaque, or new. */
    private final Tree nothing = new LayeredTree(List.of());
    private static final int DEEPEST = 256;

    /// Writes everything; gives how many files that is.
    long writeTo(LayerTar tar) throws IOException {
        directory(upper, "", below, tar);
        return files;
    }

    private void directory(Path directory, String path, Tree shown, LayerTar tar) throws IOException {
        if (Links.parts(path).size() > DEEPEST) {
            throw new BuildException(
                    BuildException.Problem.STEP,
                    0,
                    "the step left more than " + DEEPEST + " directories in each other");
        }
        for (var name : sorted(directory)) {
            var child = Names.join(path, name);
            var place = RawPath.resolve(directory, name);
            if (!omitted.contains(child)) {
                one(Inode.of(place), child, shown, tar);
            }
        }
    }

    private static List<String> sorted(Path directory) throws IOException {
        var names = new ArrayList<String>();
        try (var entries = Files.newDirectoryStream(directory)) {
            entries.forEach(entry -> names.add(RawPath.name(entry)));
        }
        names.sort(null);
        return names;
    }

    private void one(Inode inode, String path, Tree shown, LayerTar tar) throws IOException {
        if (inode.isWhiteout()) {
            if (shown.find(path).isPresent()) {
                tar.addWhiteout(path);
                files++;
            }
            return;
        }
        if (inode.isSocket()) {
            return;
        }
        var node = inode.node(path, base);
        if (node.kind() == Tree.Kind.DEVICE) {
            throw new IOException("/" + Names.shown(path) + " is a device, which a build cannot make");
        }
        if (isScaffolding(inode, path, shown)) {
            return;
        }
        if (inode.isDirectory()) {
            openDirectory(inode, node, shown, tar);
        } else {
            file(inode, node, tar);
        }
    }

    private boolean isScaffolding(Inode inode, String path, Tree shown) throws IOException {
        if (!scaffolding.contains(path) || shown.find(path).isPresent()) {
            return false;
        }
        return inode.isDirectory() ? holdsNothing(inode.path(), path, shown) : inode.size() == 0;
    }

    /// Whether nothing of what is in a directory becomes part of the layer.
    private boolean holdsNothing(Path directory, String path, Tree shown) throws IOException {
        for (var name : sorted(directory)) {
            var child = Names.join(path, name);
            if (!omitted.contains(child) && !isScaffolding(Inode.of(RawPath.resolve(directory, name)), child, shown)) {
                return false;
            }
        }
        return true;
    }

    private void openDirectory(Inode inode, Tree.Node node, Tree shown, LayerTar tar) throws IOException {
        var before = shown.find(node.path());
        var isThere = before.filter(Tree.Node::isDirectory).isPresent();
        var covers = isThere && LayeredTree.isOpaque(inode.path());
        // copied up for what was omitted, and as it was
        if (!covers && before.filter(node::equals).isPresent() && holdsNothing(inode.path(), node.path(), shown)) {
            return;
        }
        tar.add(node, InputStream.nullInputStream());
        files++;
        if (covers) {
            tar.addOpaque(node.path());
        }
        directory(inode.path(), node.path(), isThere && !covers ? shown : nothing, tar);
    }

    private void file(Inode inode, Tree.Node node, LayerTar tar) throws IOException {
        files++;
        if (inode.links() > 1) {
            var first = written.putIfAbsent(inode.number(), node.path());
            if (first != null) {
                tar.addHardLink(node, first);
                return;
            }
        }
        if (inode.isFile()) {
            try (var content = Files.newInputStream(inode.path(), StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
                tar.add(node, content);
            }
        } else {
            tar.add(node, InputStream.nullInputStream());
        }
    }
}
