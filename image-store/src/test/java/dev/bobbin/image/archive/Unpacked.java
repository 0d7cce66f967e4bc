package dev.bobbin.image.archive;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/// Layers of a test, unpacked one over the other, and looked at from outside.
final class Unpacked {
    private final Path root;
    private final List<Path> layers = new ArrayList<>();
    private ExtractionLimits limits = ExtractionLimits.DEFAULT;

    Unpacked(Path root) {
        this.root = root;
    }

    Unpacked within(ExtractionLimits newLimits) {
        limits = newLimits;
        return this;
    }

    /// Unpacks another layer over those there are.
    Path add(TestTar tar) throws IOException {
        var layer = Files.createDirectory(root.resolve("layer" + layers.size()));
        new LayerExtractor(limits).extract(tar.stream(), layer, layers.reversed());
        if (!layers.isEmpty()) {
            requireSameWhenStaged(tar, layer);
        }
        layers.add(layer);
        return layer;
    }

    /// A layer that came before those below it must become the same tree.
    private void requireSameWhenStaged(TestTar tar, Path layer) throws IOException {
        var workshop = Files.createDirectory(root.resolve("staged" + layers.size()));
        var parts = Files.createDirectory(workshop.resolve("parts"));
        var staged = Files.createDirectory(workshop.resolve("fs"));
        var first = new LayerExtractor(limits).stage(tar.stream(), parts);
        if (first.isPresent()) {
            first.get().place(staged, layers.reversed());
        }
        try {
            Files.delete(parts); // nothing may be left of them
            if (first.isPresent() && !tree(layer).equals(tree(staged))) {
                throw new AssertionError("unpacked " + tree(layer) + ", staged first " + tree(staged));
            }
            run("rm", "-rf", workshop.toString());
        } catch (IOException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /// All of a layer, with contents and the root itself.
    private static String tree(Path layer) throws Exception {
        var tree = new StringBuilder(run(
                "sh",
                "-ec",
                "cd \"$1\"; find . -printf '%p %y %m %U:%G %T@ %n %s %l\\n' | sort; find . -type f -exec sha256sum {} + | sort",
                "sh",
                layer.toString()));
        try (var all = Files.walk(layer)) {
            for (var path : all.sorted().toList()) {
                if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)
                        || Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
                    tree.append(attribute(path, "trusted.overlay.opaque"));
                    tree.append(attribute(path, "security.capability"));
                }
            }
        }
        return tree.toString();
    }

    /// All that is in a layer: path to type, permissions, owner, time, content or target or device, attributes.
    static Map<String, String> contents(Path layer) throws Exception {
        var found = new TreeMap<String, String>();
        var all = run("find", layer.toString(), "-mindepth", "1", "-printf", "%P %y %m %U:%G %T@ %l\\n");
        for (var line : all.split("\n", -1)) {
            if (!line.isEmpty()) {
                var path = line.substring(0, line.indexOf(' '));
                found.put(path, line.substring(path.length() + 1).strip());
            }
        }
        return found;
    }

    static String attribute(Path file, String name) {
        var descriptor = open(file);
        try {
            return HexFormat.of().formatHex(Kernel.attribute(descriptor, name));
        } catch (KernelException e) {
            return "none";
        } finally {
            Kernel.close(descriptor);
        }
    }

    private static int open(Path file) {
        try {
            var parent = Kernel.openDirectory(Objects.requireNonNull(file.getParent()));
            try {
                var name = Objects.requireNonNull(file.getFileName()).toString();
                return Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)
                        ? Kernel.openDirectory(parent, name)
                        : Kernel.openFile(parent, name);
            } finally {
                Kernel.close(parent);
            }
        } catch (KernelException e) {
            throw new IllegalStateException(e);
        }
    }

    static boolean isWhiteout(Path file) throws Exception {
        var parent = Kernel.openDirectory(Objects.requireNonNull(file.getParent()));
        try {
            var status = Kernel.status(
                    parent, Objects.requireNonNull(file.getFileName()).toString());
            return status != null && status.isWhiteout();
        } finally {
            Kernel.close(parent);
        }
    }

    static boolean isOpaque(Path directory) {
        return attribute(directory, "trusted.overlay.opaque").equals("79");
    }

    /// What a shell prints in the overlay of all layers, which is mounted for it alone; the overlay is at `$M`.
    String inOverlay(String script) throws Exception {
        var names = layers.reversed().stream().map(Path::toString).toList();
        var mounted = Files.createDirectories(root.resolve("mounted"));
        for (var part : List.of("upper", "work")) {
            Files.createDirectories(root.resolve(part));
        }
        return run(
                "unshare",
                "-m",
                "sh",
                "-ec",
                "mount -t tmpfs none " + mounted + "; mkdir " + mounted + "/u " + mounted + "/w " + mounted + "/m;"
                        + "mount -t overlay overlay -o index=off,lowerdir=" + String.join(":", names) + ",upperdir="
                        + mounted + "/u,workdir=" + mounted + "/w " + mounted + "/m; M=" + mounted + "/m; cd $M; "
                        + script);
    }

    static String run(String... command) throws Exception {
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(120, TimeUnit.SECONDS) || process.exitValue() != 0) {
            throw new IllegalStateException(String.join(" ", command) + ": " + output);
        }
        return output;
    }
}
