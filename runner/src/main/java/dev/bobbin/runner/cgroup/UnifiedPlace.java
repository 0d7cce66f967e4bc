package dev.bobbin.runner.cgroup;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The cgroup of the v2 tree below which a Bobbin makes its own, and the right to hand controllers on there.
final class UnifiedPlace {
    /* Version 2 lets a cgroup either have processes or hand controllers on to its children; only the root of the whole
     * tree may do both. So below a cgroup in which somebody works nothing can be limited.
     *
     * The cgroup we were started in is the place if it is ours alone (a system service with Delegate=yes): we then move
     * to a leaf of it, and back at the end. If others are in it (the session of a login: the shell, sudo) they are left
     * in peace, and the place is the nearest cgroup above without processes, which a slice of systemd never has. The
     * same if ours lacks a controller, as sessions lack cpu. A container with a cgroup namespace sees nothing above its
     * own cgroup: only there everybody is moved to the leaf. */
    private static final String PROCESSES = "cgroup.procs";
    private static final String HANDED_ON = "cgroup.subtree_control";

    private final Path directory;
    private final Path leaf;
    /// Controllers that were handed on to children because of us; null if the leaf was not needed.
    private @Nullable Set<String> enabled;

    private UnifiedPlace(Path directory, Path leaf) {
        this.directory = directory;
        this.leaf = leaf;
    }

    /// The nearest cgroup to `own` that can hand on `wanted`; `top` if none can as it is.
    static Path choose(Path own, Path top, Collection<String> wanted) throws IOException {
        for (var each = own; each != null && each.startsWith(top); each = each.getParent()) {
            if (words(each.resolve("cgroup.controllers")).containsAll(wanted) && canHandOn(each, wanted)) {
                return each;
            }
        }
        return top;
    }

    private static boolean canHandOn(Path cgroup, Collection<String> wanted) throws IOException {
        // the root of the whole tree has no type
        if (!Files.exists(cgroup.resolve("cgroup.type"))) {
            return true;
        }
        if (!words(cgroup.resolve("cgroup.type")).equals(Set.of("domain"))) {
            return false;
        }
        return words(cgroup.resolve(HANDED_ON)).containsAll(wanted)
                || Set.of(ourselves()).containsAll(words(cgroup.resolve(PROCESSES)));
    }

    private static String ourselves() {
        return Long.toString(ProcessHandle.current().pid());
    }

    /// Makes `directory` hand `controllers` on. Who works in it moves to the child `leaf` if that is needed.
    static UnifiedPlace handOn(Path directory, String leaf, List<String> controllers) throws IOException {
        var place = new UnifiedPlace(directory, directory.resolve(leaf));
        if (words(directory.resolve(HANDED_ON)).containsAll(controllers)) {
            return place;
        }
        try {
            write(directory, controllers);
        } catch (IOException _) {
            var enabled = new LinkedHashSet<>(controllers);
            enabled.removeAll(words(directory.resolve(HANDED_ON)));
            place.moveToLeaf();
            place.enabled = enabled;
            try {
                write(directory, controllers);
            } catch (IOException e) {
                place.takeBack();
                throw new IOException(
                        "hand the cgroup controllers " + String.join(", ", controllers) + " on below " + directory
                                + ": it has processes that cannot be moved, or is not ours; start Bobbin as a system"
                                + " service with Delegate=yes",
                        e);
            }
        }
        return place;
    }

    /// Lets the children of `directory` have `controllers`.
    static void write(Path directory, Collection<String> controllers) throws IOException {
        Files.writeString(directory.resolve(HANDED_ON), "+" + String.join(" +", controllers));
    }

    /// What the children of `directory` have.
    static Set<String> handsOn(Path directory) throws IOException {
        return words(directory.resolve(HANDED_ON));
    }

    /// Takes `controller` from the children of `directory`.
    static void keepBack(Path directory, String controller) throws IOException {
        Files.writeString(directory.resolve(HANDED_ON), "-" + controller);
    }

    private void moveToLeaf() throws IOException {
        Files.createDirectories(leaf);
        moveAll(directory, leaf);
    }

    /// Those that are forked meanwhile are found by looking again.
    private static void moveAll(Path from, Path to) throws IOException {
        for (var round = 0; round < 10; round++) {
            var processes = words(from.resolve(PROCESSES));
            // kernel threads and processes of other PID namespaces cannot be named
            processes.remove("0");
            if (processes.isEmpty()) {
                return;
            }
            for (var process : processes) {
                try {
                    Files.writeString(to.resolve(PROCESSES), process);
                } catch (IOException e) {
                    if (Files.exists(Path.of("/proc", process))) {
                        throw e;
                    }
                }
            }
        }
    }

    /// Undoes [#handOn] if it moved anybody, and nobody else has made cgroups here meanwhile.
    void takeBack() {
        if (enabled == null) {
            return;
        }
        try {
            for (var child : children(directory)) {
                if (!child.equals(leaf)) {
                    return;
                }
            }
            for (var controller : enabled) {
                keepBack(directory, controller);
            }
            moveAll(leaf, directory);
            Files.deleteIfExists(leaf);
        } catch (IOException e) {
            throw new UncheckedIOException("leave the cgroup " + leaf, e);
        }
    }

    private static List<Path> children(Path directory) throws IOException {
        var children = new ArrayList<Path>();
        try (var entries = Files.newDirectoryStream(directory, Files::isDirectory)) {
            entries.forEach(children::add);
        }
        return children;
    }

    static Set<String> words(Path file) throws IOException {
        if (!Files.exists(file)) {
            return new LinkedHashSet<>();
        }
        var words = new LinkedHashSet<>(Arrays.asList(Files.readString(file).split("\\s+", -1)));
        words.remove("");
        return words;
    }
}
