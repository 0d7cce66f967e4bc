package dev.bobbin.image.archive;

import static dev.bobbin.image.ImageException.invalid;
import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A layer while it is unpacked, and its parents as they are seen through it. Not safe for many threads.
///
/* Paths are walked here, a component at a time, over the stack of layers as overlayfs would show it: a symbolic link,
 * whichever layer has it, is followed inside the root, where an absolute one starts again at the root and `..` stops
 * there. What is opened in the end is a path free of links, beneath the root's handle, by openat2, which would refuse
 * any other. Nobody else writes to the directory meanwhile.
 *
 * A directory that only parents have is made here, when something comes into it, as a copy of the topmost parent's: an
 * overlay shows the metadata of the uppermost. */
final class Tree implements AutoCloseable {
    private static final int MOST_OPEN = 128;
    private static final int MOST_LINKS = 40;
    private static final int USUAL = 0755;

    private final List<Integer> parents = new ArrayList<>();
    private final LinkedHashMap<String, Directory> open = new LinkedHashMap<>(2 * MOST_OPEN, 0.75f, true);
    private final int root;

    /// @param parents unpacked layers below, topmost first
    Tree(Path directory, List<Path> parents) throws KernelException {
        root = Kernel.openDirectory(directory);
        try {
            for (var parent : parents) {
                this.parents.add(Kernel.openDirectory(parent));
            }
            var top = openHere("", List.copyOf(this.parents));
            if (parents.isEmpty()) {
                furnish(top, new Status(Kernel.DIRECTORY | USUAL, 0, 0, 0, 0, 0, Status.Time.EPOCH));
            } else {
                copyUp(top);
            }
        } catch (KernelException | RuntimeException e) {
            close(root, this.parents);
            throw e;
        }
    }

    /// The directory at `path`, made where it is missing. Valid until [#rest()].
    Directory directory(String path) throws KernelException {
        var known = open.get(path);
        return known != null ? known : requireNonNull(walk(path, Missing.MADE));
    }

    /// The directory at `path` as this layer or its parents have it, or nothing.
    @Nullable
    Directory find(String path) throws KernelException {
        var known = open.get(path);
        return known != null ? known : walk(path, Missing.LEFT);
    }

    private @Nullable Directory walk(String path, Missing missing) throws KernelException {
        var rest = new ArrayDeque<>(Names.components(path));
        var at = openHere("", parents);
        var links = 0;
        while (!rest.isEmpty()) {
            var name = rest.pop();
            if (name.equals("..")) {
                at = requireNonNull(walk(Names.parent(at.path()), missing));
                continue;
            }
            var sight = look(at, name);
            if (sight != null && sight.status.isLink()) {
                if (++links > MOST_LINKS) {
                    throw invalid(Names.shown(path) + " leads through too many symbolic links");
                }
                var target = Kernel.target(sight.layer, at.path(name));
                Names.components(target).reversed().forEach(rest::push);
                at = target.startsWith("/") ? openHere("", parents) : at;
                continue;
            }
            var next = step(at, name, sight, missing);
            if (next == null) {
                return null;
            }
            at = next;
        }
        return at;
    }

    private @Nullable Directory step(Directory at, String name, @Nullable Sight sight, Missing missing)
            throws KernelException {
        if (sight != null && isHere(sight)) {
            if (!sight.status.isDirectory()) {
                throw invalid(Names.shown(at.path(name)) + " is used as a directory, and is none");
            }
            return openHere(at.path(name), lowers(at, name));
        }
        if (missing == Missing.MADE) {
            return makeDirectory(at, name);
        }
        return sight != null && sight.status.isDirectory()
                ? new Directory(at.path(name), Directory.NOT_HERE, lowers(at, name), sight.status.modified())
                : null;
    }

    /// What `name` in a directory stands for; nothing if it is absent or whited out.
    @Nullable
    Sight look(Directory at, String name) throws KernelException {
        var own = at.isHere() ? Kernel.status(at.descriptor(), name) : null;
        if (own != null) {
            return own.isWhiteout() ? null : new Sight(own, root);
        }
        return lookBelow(at, name);
    }

    /// What parents have under `name` in a directory.
    @Nullable
    Sight lookBelow(Directory at, String name) throws KernelException {
        for (var layer : at.lowers()) {
            var status = Kernel.status(layer, at.path(name));
            if (status != null) {
                return status.isWhiteout() ? null : new Sight(status, layer);
            }
        }
        return null;
    }

    boolean isHere(Sight sight) {
        return sight.layer == root;
    }

    int root() {
        return root;
    }

    /// The parents whose directory `name` shows through one in `at`.
    private List<Integer> lowers(Directory at, String name) throws KernelException {
        var lowers = new ArrayList<Integer>();
        for (var layer : at.lowers()) {
            var status = Kernel.status(layer, at.path(name));
            if (status == null) {
                continue;
            }
            if (!status.isDirectory()) {
                break;
            }
            lowers.add(layer);
            var opened = Kernel.openDirectory(layer, at.path(name));
            var hidesRest = Directory.isOpaque(opened);
            Kernel.close(opened);
            if (hidesRest) {
                break;
            }
        }
        return lowers;
    }

    /// The directory `name` in `at`, made if it is not there; anything else of that name gives way.
    Directory makeDirectory(Directory at, String name) throws KernelException {
        var hides = false;
        try {
            Kernel.makeDirectory(at.descriptor(), name);
        } catch (KernelException e) {
            var old = e.number() == KernelException.EXISTS ? Kernel.status(at.descriptor(), name) : null;
            if (old == null) {
                throw e;
            }
            if (old.isDirectory()) {
                return openHere(at.path(name), lowers(at, name));
            }
            Kernel.remove(at.descriptor(), name);
            Kernel.makeDirectory(at.descriptor(), name);
            hides = true;
        }
        at.touch();
        var made = openHere(at.path(name), lowers(at, name));
        if (hides || made.lowers().isEmpty()) {
            furnish(made, new Status(Kernel.DIRECTORY | USUAL, 0, 0, 0, 0, 0, Status.Time.EPOCH));
        } else {
            copyUp(made);
        }
        if (hides && !made.lowers().isEmpty()) {
            made.makeOpaque();
        }
        return made;
    }

    private static void furnish(Directory made, Status like) throws KernelException {
        Kernel.setOwner(made.descriptor(), like.uid(), like.gid());
        Kernel.setPermissions(made.descriptor(), like.permissions());
        made.setModified(like.modified());
    }

    private static void copyUp(Directory made) throws KernelException {
        var below = Kernel.openDirectory(made.lowers().getFirst(), made.path());
        try {
            Kernel.copyAttributes(below, made.descriptor(), Metadata::isKept);
            furnish(made, requireNonNull(Kernel.status(below, "")));
        } finally {
            Kernel.close(below);
        }
    }

    /// Makes the file of a parent, and the directories above it, part of this layer.
    void copyUp(Sight sight, Directory source, String name) throws KernelException {
        var at = directory(source.path());
        var path = source.path(name);
        var status = sight.status;
        switch (status.type()) {
            case Kernel.FILE -> copyFile(sight.layer, path, at, name);
            case Kernel.SYMBOLIC_LINK -> Kernel.makeLink(at.descriptor(), name, Kernel.target(sight.layer, path));
            default -> Kernel.makeNode(at.descriptor(), name, status.type(), status.major(), status.minor());
        }
        Kernel.setOwner(at.descriptor(), name, status.uid(), status.gid());
        if (!status.isLink()) {
            Kernel.setPermissions(at.descriptor(), name, status.permissions());
        }
        copyAttributes(sight, path, at, name);
        Kernel.setModified(at.descriptor(), name, status.modified());
        at.touch();
    }

    private static void copyFile(int layer, String path, Directory at, String name) throws KernelException {
        var from = Kernel.openFile(layer, path);
        try {
            var to = Kernel.createFile(at.descriptor(), name);
            try {
                Kernel.copyContent(from, to);
            } finally {
                Kernel.close(to);
            }
        } finally {
            Kernel.close(from);
        }
    }

    /// After the owner, whose change clears capabilities.
    private static void copyAttributes(Sight sight, String path, Directory at, String name) throws KernelException {
        if (sight.status.type() != Kernel.FILE) {
            return;
        }
        var from = Kernel.openFile(sight.layer, path);
        try {
            var to = Kernel.openFile(at.descriptor(), name);
            try {
                Kernel.copyAttributes(from, to, Metadata::isKept);
            } finally {
                Kernel.close(to);
            }
        } finally {
            Kernel.close(from);
        }
    }

    private Directory openHere(String path, List<Integer> lowers) throws KernelException {
        var known = open.get(path);
        if (known != null) {
            return known;
        }
        var descriptor = Kernel.openDirectory(root, path);
        try {
            var status = requireNonNull(Kernel.status(descriptor, ""));
            var seen = Directory.isOpaque(descriptor) ? List.<Integer>of() : lowers;
            var directory = new Directory(path, descriptor, seen, status.modified());
            open.put(path, directory);
            return directory;
        } catch (KernelException | RuntimeException e) {
            Kernel.close(descriptor);
            throw e;
        }
    }

    /// Removes `name`, a directory with all that is in it, if it is there.
    void remove(Directory at, String name) throws KernelException {
        var status = Kernel.status(at.descriptor(), name);
        if (status == null) {
            return;
        }
        at.touch();
        if (!status.isDirectory()) {
            Kernel.remove(at.descriptor(), name);
            return;
        }
        var path = at.path(name);
        open.entrySet().removeIf(entry -> {
            var gone = isWithin(entry.getKey(), path);
            if (gone) {
                entry.getValue().abandon();
            }
            return gone;
        });
        removeAll(path);
        Kernel.removeDirectory(at.descriptor(), name);
    }

    private void removeAll(String path) throws KernelException {
        for (var name : Kernel.names(root, path)) {
            var child = Names.child(path, name);
            var status = Kernel.status(root, child);
            if (status != null && status.isDirectory()) {
                removeAll(child);
                Kernel.removeDirectory(root, child);
            } else {
                Kernel.remove(root, child);
            }
        }
    }

    /// Hides what parents have in a directory; what this layer puts there stays, whether it came before or after.
    void hideBelow(Directory directory) throws KernelException {
        directory.makeOpaque();
        for (var path : List.copyOf(open.keySet())) {
            if (isWithin(path, directory.path()) && !path.equals(directory.path())) {
                requireNonNull(open.remove(path)).close();
            }
        }
        removeWhiteouts(directory.path());
    }

    /// An overlay lists the whiteouts of a directory that nothing shows through.
    private void removeWhiteouts(String path) throws KernelException {
        for (var name : Kernel.names(root, path)) {
            var child = Names.child(path, name);
            var status = Kernel.status(root, child);
            if (status != null && status.isDirectory()) {
                removeWhiteouts(child);
            } else if (status != null && status.isWhiteout()) {
                remove(directory(path), name);
            }
        }
    }

    private static boolean isWithin(String path, String directory) {
        return directory.isEmpty() || path.equals(directory) || path.startsWith(directory + "/");
    }

    /// Closes the directories that were not used lately.
    void rest() throws KernelException {
        while (open.size() > MOST_OPEN) {
            requireNonNull(open.pollFirstEntry()).getValue().close();
        }
    }

    /// Sets the times of all directories that are still open, and closes them.
    void finish() throws KernelException {
        while (!open.isEmpty()) {
            requireNonNull(open.pollFirstEntry()).getValue().close();
        }
    }

    @Override
    public void close() {
        open.values().forEach(Directory::abandon);
        open.clear();
        close(root, parents);
    }

    private static void close(int root, List<Integer> parents) {
        for (var parent : parents) {
            Kernel.close(parent);
        }
        Kernel.close(root);
    }

    /// What to do about a directory that is not there.
    private enum Missing {
        MADE,
        LEFT
    }

    /// A file, and the root of the layer that has it.
    record Sight(Status status, int layer) {}
}
