package dev.bobbin.runner.build;

import dev.bobbin.image.Digest;
import dev.bobbin.image.Layer;
import dev.bobbin.runner.build.pattern.IgnoreRules;
import java.io.IOException;
import java.util.List;

/// Finds out what the layer of one block depends on.
final class BlockKey {
    private final BuildOrder order;
    private final Site.Sources sources;
    private final Key key;

    private BlockKey(BuildOrder order, Site.Sources sources, List<Layer> below) {
        this.order = order;
        this.sources = sources;
        this.key = new Key(order.time(), below);
    }

    /// @param below what the block stands on, the lowest first
    static Digest of(Block block, BuildOrder order, Site.Sources sources, List<Layer> below)
            throws IOException, InterruptedException {
        var whole = new BlockKey(order, sources, block.dependsOnBase() ? below : List.of());
        for (var step : block.steps()) {
            whole.step(step);
        }
        return whole.key.digest();
    }

    private void step(Step step) throws IOException, InterruptedException {
        switch (step) {
            case Step.Run run -> {
                key.run(run, Networks.of(run, order));
                for (var mount : run.mounts()) {
                    key.mount(mount);
                    if (mount instanceof StepMount.Bind bind) {
                        bound(bind.asCopy(run.line()));
                    }
                }
            }
            case Step.Copy copy -> {
                key.copy(copy);
                copied(copy);
            }
            case Step.InlineFile file -> key.file(file);
            case Step.MakeDirectory directory -> key.directory(directory);
        }
    }

    private void copied(Step.Copy copy) throws IOException, InterruptedException {
        var layers = sources.layers(copy.source());
        if (layers.isPresent()) {
            key.layers(layers.get());
        } else {
            var context = sources.context();
            key.files(context, Selection.of(copy, context), IgnoreRules.of(copy.excludes()));
        }
    }

    private void bound(Step.Copy copy) throws IOException, InterruptedException {
        var layers = sources.layers(copy.source());
        if (layers.isPresent()) {
            key.layers(layers.get());
        } else {
            key.bound(sources.context(), Selection.of(copy, sources.context()));
        }
    }
}
