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
import java.util.Optional;
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

    /// Writes everything; gives how many files that is.
    long writeTo(LayerTar tar) throws IOException {
        directory(upper, "", tar);
        return files;
    }

    private void directory(Path directory, String path, LayerTar tar) throws IOException {
        for (var name : sorted(directory)) {
            var child = Names.join(path, name);
            var place = RawPath.resolve(directory, name);
            if (!omitted.contains(child)) {
                one(Inode.of(place), child, tar);
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

    private void one(Inode inode, String path, LayerTar tar) throws IOException {
        if (inode.isWhiteout()) {
            if (below.find(path).isPresent()) {
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
        if (isScaffolding(inode, path)) {
            return;
        }
        if (inode.isDirectory()) {
            openDirectory(inode, node, tar);
        } else {
            file(inode, node, tar);
        }
    }

    private boolean isScaffolding(Inode inode, String path) throws IOException {
        if (!scaffolding.contains(path) || below.find(path).isPresent()) {
            return false;
        }
        return inode.isDirectory() ? holdsNothing(inode.path(), path) : inode.size() == 0;
    }

    /// Whether nothing of what is in a directory becomes part of the layer.
    private boolean holdsNothing(Path directory, String path) throws IOException {
        for (var name : sorted(directory)) {
            var child = Names.join(path, name);
            if (!omitted.contains(child) && !isScaffolding(Inode.of(RawPath.resolve(directory, name)), child)) {
                return false;
            }
        }
        return true;
    }

    private void openDirectory(Inode inode, Tree.Node node, LayerTar tar) throws IOException {
        Optional<Tree.Node> before = below.find(node.path());
        var covers = before.filter(Tree.Node::isDirectory).isPresent() && LayeredTree.isOpaque(inode.path());
        if (!covers && isUntouched(inode, node, before)) {
            return;
        }
        tar.add(node, InputStream.nullInputStream());
        files++;
        if (covers) {
            tar.addOpaque(node.path());
        }
        directory(inode.path(), node.path(), tar);
    }

    /// Copied up for what was omitted, and as it was.
    private boolean isUntouched(Inode inode, Tree.Node node, Optional<Tree.Node> before) throws IOException {
        return before.isPresent() && before.get().equals(node) && holdsNothing(inode.path(), node.path());
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
            try (var content =
                    Files.newInputStream(inode.path(), StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
                tar.add(node, content);
            }
        } else {
            tar.add(node, InputStream.nullInputStream());
        }
    }
}
