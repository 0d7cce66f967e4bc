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
import java.util.TreeSet;

/// Directories that lie upon each other as overlayfs keeps them, written as one layer, with only what means something
/// on
/// the layers below: the upper of a sandbox that has ended, or several layers of one block.
final class Snapshot {
    /* What hides what: a whiteout, a directory that is opaque, or one over something that is none, hides all beneath it.
     * Overlayfs marks only the outermost directory, so each step down carries what still shows through it. */

    private static final int DEEPEST = 256;
    private static final Tree NOTHING = new LayeredTree(List.of());

    private final List<Path> parts;
    private final Tree below;
    private final Traces traces;
    private final HeldFiles held;
    /// The name under which each file of several names was written.
    private final Map<Name, String> written = new HashMap<>();

    private long files;

    /// One file of a part, whatever its names.
    private record Name(Path part, long number) {}

    /// What a sandbox left that is not the program's doing.
    ///
    /// @param uidBase what its ids are shifted by
    /// @param omitted paths that are its own
    /// @param scaffolding paths that were made for it, if they are empty still and nothing is below
    /// @param devices whether device files are kept
    record Traces(int uidBase, Set<String> omitted, Set<String> scaffolding, boolean devices) {
        static final Traces NONE = new Traces(0, Set.of(), Set.of(), true);
        private static final Set<String> OWN = Set.of("etc/hosts", "etc/resolv.conf");

        Traces {
            omitted = Set.copyOf(omitted);
            scaffolding = Set.copyOf(scaffolding);
        }

        static Traces of(Commands.Ran ran) {
            return new Traces(ran.uidBase(), OWN, ran.scaffolding(), false);
        }
    }

    /// What is at one path.
    ///
    /// @param here topmost first: directories that show through each other, or one file; none if it is gone
    /// @param hides whether nothing of what is below the parts shows through
    private record Place(String path, List<Inode> here, boolean hides) {

        static Place of(List<Path> directories, String path) throws IOException {
            var here = new ArrayList<Inode>();
            for (var directory : directories) {
                var found = Inode.find(RawPath.resolve(directory, Names.last(path)));
                if (found.isEmpty()) {
                    continue;
                }
                var inode = found.get();
                if (inode.isWhiteout() || (!here.isEmpty() && !inode.isDirectory())) {
                    return new Place(path, here, true);
                }
                here.add(inode);
                if (!inode.isDirectory() || LayeredTree.isOpaque(inode.path())) {
                    return new Place(path, here, true);
                }
            }
            return new Place(path, here, false);
        }

        Inode top() {
            return here.getFirst();
        }

        List<Path> directories() {
            return here.stream().map(Inode::path).toList();
        }
    }

    /// @param parts topmost first
    /// @param below what they lie on
    /// @param held names of what was not written yet, and of files that have several
    Snapshot(List<Path> parts, Tree below, Traces traces, HeldFiles held) {
        this.parts = parts.stream().map(Path::toAbsolutePath).toList();
        this.below = below;
        this.traces = traces;
        this.held = held;
    }

    /// Writes everything; gives how many files that is.
    long writeTo(LayerTar tar) throws IOException {
        directory(parts, "", below, tar);
        return files;
    }

    /// @param all directories of this path, topmost first
    private void directory(List<Path> all, String path, Tree shown, LayerTar tar) throws IOException {
        if (Links.parts(path).size() > DEEPEST) {
            throw new BuildException(
                    BuildException.Problem.STEP,
                    0,
                    "the step left more than " + DEEPEST + " directories in each other");
        }
        var names = names(all);
        for (var name : names) {
            var child = Names.join(path, name);
            if (!traces.omitted.contains(child)) {
                one(Place.of(all, child), shown, tar);
            }
        }
        held.forget(names);
    }

    private Set<String> names(List<Path> all) throws IOException {
        var names = new TreeSet<String>();
        for (var each : all) {
            try (var entries = Files.newDirectoryStream(each)) {
                for (var entry : entries) {
                    var name = RawPath.name(entry);
                    if (names.add(name)) {
                        held.add(name.length());
                    }
                }
            }
        }
        return names;
    }

    private void one(Place place, Tree shown, LayerTar tar) throws IOException {
        var path = place.path;
        if (place.here.isEmpty() || place.top().isSocket()) {
            if (shown.find(path).isPresent()) {
                tar.addWhiteout(path);
                files++;
            }
            return;
        }
        var node = place.top().node(path, traces.uidBase);
        if (node.kind() == Tree.Kind.DEVICE && !traces.devices) {
            throw new IOException("/" + Names.shown(path) + " is a device, which a build cannot make");
        }
        if (isScaffolding(place, shown)) {
            return;
        }
        if (node.isDirectory()) {
            openDirectory(place, node, shown, tar);
        } else {
            file(place.top(), node, tar);
        }
    }

    private boolean isScaffolding(Place place, Tree shown) throws IOException {
        if (place.here.isEmpty()
                || !traces.scaffolding.contains(place.path)
                || shown.find(place.path).isPresent()) {
            return false;
        }
        return place.top().isDirectory()
                ? holdsNothing(place, shown)
                : place.top().size() == 0;
    }

    /// Whether nothing of what is in a directory becomes part of the layer.
    private boolean holdsNothing(Place directory, Tree shown) throws IOException {
        var names = names(directory.directories());
        held.forget(names);
        for (var name : names) {
            var child = Names.join(directory.path, name);
            if (!traces.omitted.contains(child) && !isScaffolding(Place.of(directory.directories(), child), shown)) {
                return false;
            }
        }
        return true;
    }

    private void openDirectory(Place place, Tree.Node node, Tree shown, LayerTar tar) throws IOException {
        var before = shown.find(node.path());
        var isThere = before.filter(Tree.Node::isDirectory).isPresent();
        var covers = isThere && place.hides;
        // copied up for what was omitted, and as it was
        if (!covers && before.filter(node::equals).isPresent() && holdsNothing(place, shown)) {
            return;
        }
        tar.add(node, InputStream.nullInputStream());
        files++;
        if (covers) {
            tar.addOpaque(node.path());
        }
        directory(place.directories(), node.path(), isThere && !covers ? shown : NOTHING, tar);
    }

    private void file(Inode inode, Tree.Node node, LayerTar tar) throws IOException {
        files++;
        if (inode.links() > 1) {
            var part = parts.stream().filter(inode.path()::startsWith).findFirst();
            var first = written.putIfAbsent(new Name(part.orElseThrow(), inode.number()), node.path());
            if (first != null) {
                tar.addHardLink(node, first);
                return;
            }
            held.add(node.path().length());
        }
        if (!inode.isFile()) {
            tar.add(node, InputStream.nullInputStream());
            return;
        }
        try (var content = Files.newInputStream(inode.path(), StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            tar.add(node, content);
        }
    }
}
