package dev.bobbin.runner.build;

import dev.bobbin.runner.kernel.ExtendedAttributes;
import dev.bobbin.runner.kernel.RawPath;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/// Unpacked layers, seen as overlayfs shows them. They do not change, and nothing of the machine is reached through
/// them: no link is ever followed by the kernel.
final class LayeredTree implements Tree {
    private static final String OPAQUE = "trusted.overlay.opaque";

    private final List<Path> layers;
    private final Map<String, List<Path>> directories = new HashMap<>();

    /// @param layers their directories, topmost first
    LayeredTree(List<Path> layers) {
        this.layers = List.copyOf(layers);
    }

    @Override
    public synchronized Optional<Node> find(String path) throws IOException {
        if (path.isEmpty()) {
            return layers.isEmpty()
                    ? Optional.empty()
                    : Optional.of(Inode.of(layers.getFirst()).node("", 0));
        }
        for (var layer : directories(Names.parent(path))) {
            var inode = Inode.find(RawPath.resolve(layer, Names.last(path)));
            if (inode.isPresent()) {
                return inode.get().isWhiteout()
                        ? Optional.empty()
                        : Optional.of(inode.get().node(path, 0));
            }
        }
        return Optional.empty();
    }

    /// The directories of this path in all layers that show through, topmost first; none if it is no directory.
    private List<Path> directories(String path) throws IOException {
        if (path.isEmpty()) {
            return layers;
        }
        var known = directories.get(path);
        if (known != null) {
            return known;
        }
        var all = new ArrayList<Path>();
        for (var layer : directories(Names.parent(path))) {
            var inode = Inode.find(RawPath.resolve(layer, Names.last(path)));
            if (inode.isEmpty()) {
                continue;
            }
            if (!inode.get().isDirectory()) {
                break;
            }
            all.add(inode.get().path());
            if (isOpaque(inode.get().path())) {
                break;
            }
        }
        directories.put(path, all);
        return all;
    }

    static boolean isOpaque(Path directory) throws IOException {
        return ExtendedAttributes.value(directory, OPAQUE)
                .filter(value -> new String(value, StandardCharsets.ISO_8859_1).equals("y"))
                .isPresent();
    }

    @Override
    public synchronized List<String> names(String directory) throws IOException {
        var seen = new TreeSet<String>();
        var hidden = new TreeSet<String>();
        for (var layer : directories(directory)) {
            var here = new ArrayList<String>();
            try (var entries = Files.newDirectoryStream(layer)) {
                for (var entry : entries) {
                    here.add(RawPath.name(entry));
                }
            }
            for (var name : here) {
                if (!seen.contains(name) && !hidden.contains(name)) {
                    var inode = Inode.of(RawPath.resolve(layer, name));
                    (inode.isWhiteout() ? hidden : seen).add(name);
                }
            }
        }
        return List.copyOf(seen);
    }

    @Override
    public InputStream open(Node file) throws IOException {
        return Files.newInputStream(where(file.path()), StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
    }

    private synchronized Path where(String path) throws IOException {
        for (var layer : directories(Names.parent(path))) {
            var inode = Inode.find(RawPath.resolve(layer, Names.last(path)));
            if (inode.isPresent() && !inode.get().isWhiteout()) {
                return inode.get().path();
            }
        }
        throw new NoSuchFileException("/" + Names.shown(path));
    }

    @Override
    public Optional<String> digest(Node file) {
        return Optional.empty();
    }
}
