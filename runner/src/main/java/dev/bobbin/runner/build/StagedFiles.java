package dev.bobbin.runner.build;

import dev.bobbin.runner.build.pattern.IgnoreRules;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Files that are to become a layer, put where they belong as seen from the layers below: links there lead to where
/// they lead, inside the root.
final class StagedFiles {
    private static final int USUAL_MODE = 0755;
    private static final int LONGEST_PATH = 4_000;

    private final Tree below;
    private final HeldFiles held;
    private final TreeMap<String, Staged> staged = new TreeMap<>();

    /// What somebody else owns it as, and how it may be used; `null` for what it says itself.
    record Dress(
            @org.jspecify.annotations.Nullable Owner owner,
            @org.jspecify.annotations.Nullable Integer mode) {
        static final Dress OWN = new Dress(null, null);
    }

    record Owner(int uid, int gid) {
        static final Owner ROOT = new Owner(0, 0);
    }

    /// @param from has the content, as `origin`
    private record Staged(Tree.Node node, Tree from, Tree.Node origin) {}

    StagedFiles(Tree below, HeldFiles held) {
        this.below = below;
        this.held = held;
    }

    boolean isEmpty() {
        return staged.isEmpty();
    }

    /// What is at this path now, itself if it is a link.
    Optional<Tree.Node> find(String path) throws IOException {
        var own = staged.get(path);
        return own != null ? Optional.of(own.node) : below.find(path);
    }

    /// The directory that a path leads to, made with what is missing above it.
    String directory(String path, Dress dress) throws IOException {
        if (path.length() > LONGEST_PATH) {
            throw new IOException("a path is longer than " + LONGEST_PATH + " bytes");
        }
        var left = Links.parts(path);
        var done = "";
        for (var links = 0; !left.isEmpty(); ) {
            var part = left.pop();
            if (part.equals("..")) {
                done = Names.parent(done);
                continue;
            }
            var next = Names.join(done, part);
            var there = find(next);
            if (there.isEmpty()) {
                var owner = dress.owner == null ? Owner.ROOT : dress.owner;
                var mode = dress.mode == null ? USUAL_MODE : dress.mode;
                var node = new Tree.Node(next, Tree.Kind.DIRECTORY, mode, owner.uid, owner.gid, 0, "", Map.of());
                stage(node, below, node);
            } else if (there.get().kind() == Tree.Kind.LINK) {
                if (++links > Tree.MOST_LINKS) {
                    throw new IOException("too many symbolic links: /" + Names.shown(path));
                }
                if (there.get().target().startsWith("/")) {
                    done = "";
                }
                Links.parts(there.get().target()).descendingIterator().forEachRemaining(left::push);
                continue;
            } else if (!there.get().isDirectory()) {
                throw new IOException("/" + Names.shown(next) + " is not a directory");
            }
            done = next;
        }
        return done;
    }

    /// Whether a path leads to a directory that is there.
    Optional<String> existingDirectory(String path) throws IOException {
        var real = Links.real(path, true, this::find);
        if (real.isEmpty() || real.get().isEmpty()) {
            return real;
        }
        return find(real.get()).filter(Tree.Node::isDirectory).map(Tree.Node::path);
    }

    private void stage(Tree.Node node, Tree from, Tree.Node origin) {
        var before = staged.put(node.path(), new Staged(node, from, origin));
        if (before != null) {
            held.forget(before.node);
        }
        held.add(node);
    }

    /// Puts what is no directory into a directory that is there.
    void put(String directory, String name, Tree from, Tree.Node origin, Dress dress) throws IOException {
        var path = Names.join(directory, name);
        if (find(path).filter(Tree.Node::isDirectory).isPresent()) {
            throw new IOException("/" + Names.shown(path) + " is a directory, and cannot become a file");
        }
        stage(dressed(origin, path, dress), from, origin);
    }

    /// Puts what is in a directory of `from` into a directory, with that directory's own looks for those below it.
    void putAll(String directory, Tree from, String source, IgnoreRules excludes, Dress dress) throws IOException {
        for (var name : from.names(source)) {
            var path = Names.join(source, name);
            var node = from.find(path).orElseThrow(() -> new IOException("/" + Names.shown(path) + " went away"));
            var leftOut = excludes.ignores(Names.shown(path));
            if (!node.isDirectory()) {
                if (!leftOut) {
                    put(directory(directory, dress), name, from, node, dress);
                }
                continue;
            }
            var into = Names.join(directory, name);
            if (!leftOut) {
                var made = directory(into, dress);
                stage(dressed(node, made, dress), from, node);
                into = made;
            }
            putAll(into, from, path, excludes, dress);
        }
    }

    /// A file whose content is known.
    void put(String directory, String name, byte[] content, Dress dress) throws IOException {
        var mode = dress.mode == null ? 0644 : dress.mode;
        var node = new Tree.Node("", Tree.Kind.FILE, mode, 0, 0, content.length, "", Map.of());
        put(directory, name, new InlineTree(content), node, dress);
    }

    private static Tree.Node dressed(Tree.Node node, String path, Dress dress) {
        var owner = dress.owner == null ? new Owner(node.uid(), node.gid()) : dress.owner;
        var mode = dress.mode == null || node.kind() == Tree.Kind.LINK ? node.mode() : dress.mode;
        return new Tree.Node(
                path,
                node.kind(),
                mode,
                owner.uid,
                owner.gid,
                node.size(),
                node.target(),
                node.attributes(),
                node.device());
    }

    /// Writes the layer, with the directories above each file as they are.
    void writeTo(LayerTar tar) throws IOException {
        var all = new TreeMap<>(staged);
        for (var path : staged.keySet()) {
            for (var above = Names.parent(path); !above.isEmpty(); above = Names.parent(above)) {
                if (!all.containsKey(above)) {
                    var name = above;
                    var node = below.find(above)
                            .orElseThrow(() -> new IOException("/" + Names.shown(name) + " is not there"));
                    all.put(above, new Staged(node, below, node));
                }
            }
        }
        for (var each : all.values()) {
            if (each.node.kind() == Tree.Kind.FILE) {
                try (var content = each.from.open(each.origin)) {
                    tar.add(each.node, content);
                }
            } else {
                tar.add(each.node, InputStream.nullInputStream());
            }
        }
    }

    /// One file of a recipe.
    private static final class InlineTree implements Tree {
        private final byte[] content;

        InlineTree(byte[] content) {
            this.content = content;
        }

        @Override
        public Optional<Node> find(String path) {
            return Optional.empty();
        }

        @Override
        public List<String> names(String directory) {
            return List.of();
        }

        @Override
        public InputStream open(Node file) {
            return new java.io.ByteArrayInputStream(content);
        }

        @Override
        public Optional<String> digest(Node file) {
            return Optional.empty();
        }
    }
}
