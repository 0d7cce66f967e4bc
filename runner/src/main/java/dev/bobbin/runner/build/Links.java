package dev.bobbin.runner.build;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Optional;

/// Follows symbolic links inside a root, which absolute ones and `..` do not leave.
final class Links {
    private Links() {}

    /// How one file is looked at.
    interface Look {
        Optional<Tree.Node> at(String path) throws IOException;
    }

    /// The path without links; nothing if a part of it is missing or no directory.
    static Optional<String> real(String path, boolean last, Look look) throws IOException {
        var left = parts(path);
        var done = "";
        for (var links = 0; !left.isEmpty(); ) {
            var part = left.pop();
            if (part.equals("..")) {
                done = Names.parent(done);
                continue;
            }
            var next = Names.join(done, part);
            var found = look.at(next);
            if (found.isEmpty()) {
                return Optional.empty();
            }
            var node = found.get();
            if (node.kind() == Tree.Kind.LINK && (last || !left.isEmpty())) {
                if (++links > Tree.MOST_LINKS) {
                    throw new IOException("too many symbolic links: /" + Names.shown(path));
                }
                if (node.target().startsWith("/")) {
                    done = "";
                }
                parts(node.target()).descendingIterator().forEachRemaining(left::push);
                continue;
            }
            if (!left.isEmpty() && !node.isDirectory()) {
                return Optional.empty();
            }
            done = next;
        }
        return Optional.of(done);
    }

    static ArrayDeque<String> parts(String path) {
        var parts = new ArrayDeque<String>();
        for (var part : path.split("/", -1)) {
            if (!part.isEmpty() && !part.equals(".")) {
                parts.add(part);
            }
        }
        return parts;
    }
}
