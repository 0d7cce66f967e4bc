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
import java.util.TreeSet;

/// Several layers of one block, written as one.
final class Squash {
    private final List<Path> parts;
    private final Tree below;
    private final Map<List<Object>, String> written = new HashMap<>();

    /// @param parts unpacked, topmost first
    /// @param below what the block stands on
    Squash(List<Path> parts, Tree below) {
        this.parts = List.copyOf(parts);
        this.below = below;
    }

    void writeTo(LayerTar tar) throws IOException {
        directory(parts, "", tar);
    }

    /// @param all directories of this path, topmost first
    private void directory(List<Path> all, String path, LayerTar tar) throws IOException {
        var names = new TreeSet<String>();
        for (var each : all) {
            try (var entries = Files.newDirectoryStream(each)) {
                entries.forEach(entry -> names.add(RawPath.name(entry)));
            }
        }
        for (var name : names) {
            one(all, Names.join(path, name), tar);
        }
    }

    private void one(List<Path> all, String path, LayerTar tar) throws IOException {
        var here = new ArrayList<Inode>();
        var hidden = false;
        for (var each : all) {
            var inode = Inode.find(RawPath.resolve(each, Names.last(path)));
            if (inode.isEmpty()) {
                continue;
            }
            if (inode.get().isWhiteout() || (!here.isEmpty() && !inode.get().isDirectory())) {
                // a directory over what is none hides all that was there before
                hidden = true;
                break;
            }
            here.add(inode.get());
            if (!inode.get().isDirectory()) {
                break;
            }
            if (LayeredTree.isOpaque(inode.get().path())) {
                hidden = true;
                break;
            }
        }
        var covers = hidden && below.find(path).isPresent();
        if (here.isEmpty()) {
            if (covers) {
                tar.addWhiteout(path);
            }
            return;
        }
        if (here.getFirst().isDirectory()) {
            tar.add(here.getFirst().node(path, 0), InputStream.nullInputStream());
            if (covers && below.find(path).orElseThrow().isDirectory()) {
                tar.addOpaque(path);
            }
            directory(here.stream().map(Inode::path).toList(), path, tar);
        } else {
            file(here.getFirst(), path, all, tar);
        }
    }

    private void file(Inode inode, String path, List<Path> all, LayerTar tar) throws IOException {
        var node = inode.node(path, 0);
        if (inode.links() > 1) {
            var root =
                    parts.stream().filter(part -> inode.path().startsWith(part)).findFirst();
            var first = written.putIfAbsent(List.of(root.orElse(all.getFirst()), inode.number()), path);
            if (first != null) {
                tar.addHardLink(node, first);
                return;
            }
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
