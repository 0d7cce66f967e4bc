package dev.bobbin.runner.build;

import dev.bobbin.image.Digest;
import dev.bobbin.image.Layer;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.build.pattern.IgnoreRules;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What a block's layer depends on, all of it: the tool, the content of every layer below, the steps with all they
/// say, and the content of what they copy. Of secrets only that they are asked for.
final class Key {
    /// Raised whenever the same steps would give another layer.
    private static final String TOOL = "bobbin build 3";

    private final MessageDigest hasher = Digest.hasher("sha256");

    Key(Instant time, List<Layer> below) {
        text(TOOL);
        text(Long.toString(time.getEpochSecond()));
        layers(below);
    }

    Digest digest() {
        return Digest.of("sha256", hasher);
    }

    private void text(String text) {
        var bytes = text.getBytes(StandardCharsets.UTF_8);
        hasher.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
        hasher.update(bytes);
    }

    private void texts(Collection<String> all) {
        text(Integer.toString(all.size()));
        all.forEach(this::text);
    }

    private void map(Map<String, String> all) {
        var sorted = new TreeMap<>(all);
        texts(sorted.keySet());
        texts(sorted.values());
    }

    void layers(List<Layer> layers) {
        texts(layers.stream().map(layer -> layer.diffId().text()).toList());
    }

    /// @param network that it really gets
    void run(Step.Run step, Network network) {
        text("run");
        texts(step.argv());
        map(step.env());
        text(step.workdir());
        text(step.user());
        text(
                switch (network) {
                    case Network.None _ -> "none";
                    case Network.Host _ -> "host";
                    case Network.Bridge _ -> "bridge";
                });
    }

    void mount(StepMount mount) {
        switch (mount) {
            case StepMount.Cache cache -> {
                text("cache");
                texts(List.of(cache.target(), cache.id(), Boolean.toString(cache.readOnly())));
            }
            case StepMount.Secret secret -> {
                text("secret");
                texts(List.of(secret.target(), String.valueOf(secret.variable())));
            }
            case StepMount.Bind bind -> {
                text("bind");
                texts(List.of(bind.target(), bind.path(), Boolean.toString(bind.writable())));
            }
            case StepMount.Tmpfs tmpfs -> {
                text("tmpfs");
                text(tmpfs.target());
            }
            case StepMount.Text file -> {
                text("text");
                texts(List.of(file.target(), file.content(), Integer.toOctalString(file.mode())));
            }
        }
    }

    void copy(Step.Copy step) {
        text("copy");
        texts(step.patterns());
        texts(step.excludes());
        texts(List.of(
                step.destination(),
                String.valueOf(step.owner()),
                String.valueOf(step.mode()),
                Boolean.toString(step.unpack()),
                Boolean.toString(step.parents()),
                Boolean.toString(step.link())));
    }

    void file(Step.InlineFile step) {
        text("file");
        texts(List.of(step.path(), step.content(), String.valueOf(step.owner()), Integer.toOctalString(step.mode())));
    }

    void directory(Step.MakeDirectory step) {
        text("directory");
        texts(List.of(step.path(), String.valueOf(step.owner()), Integer.toOctalString(step.mode())));
    }

    /// Files of a tree that knows their digests, with everything below them.
    void files(Tree tree, List<Selection> selected, IgnoreRules excludes) throws IOException, InterruptedException {
        text(Integer.toString(selected.size()));
        for (var each : selected) {
            text(each.name());
            if (each.node().isDirectory() || !excludes.ignores(Names.shown(each.name()))) {
                node(tree, each.node());
                below(tree, each.node(), excludes, Owners.LEFT_OUT);
            }
        }
    }

    /// Files that a command sees as they are, with everything below them.
    void bound(Tree tree, List<Selection> selected) throws IOException, InterruptedException {
        text(Integer.toString(selected.size()));
        for (var each : selected) {
            node(tree, each.node());
            owner(each.node());
            below(tree, each.node(), IgnoreRules.of(List.of()), Owners.COUNT);
        }
    }

    /// Whether it matters whose the files of a context are: what is copied from it becomes root's.
    private enum Owners {
        COUNT,
        LEFT_OUT
    }

    private void node(Tree tree, Tree.Node node) {
        texts(List.of(
                node.path(),
                node.kind().name(),
                Integer.toOctalString(node.mode()),
                node.target(),
                tree.digest(node).orElse("")));
    }

    private void owner(Tree.Node node) {
        texts(List.of(Integer.toString(node.uid()), Integer.toString(node.gid())));
    }

    private void below(Tree tree, Tree.Node directory, IgnoreRules excludes, Owners owners)
            throws IOException, InterruptedException {
        if (!directory.isDirectory()) {
            return;
        }
        for (var name : tree.names(directory.path())) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            var node = tree.find(Names.join(directory.path(), name)).orElseThrow();
            if (!node.isDirectory() && excludes.ignores(Names.shown(node.path()))) {
                continue;
            }
            node(tree, node);
            if (owners == Owners.COUNT) {
                owner(node);
            }
            below(tree, node, excludes, owners);
        }
        text("end");
    }
}
