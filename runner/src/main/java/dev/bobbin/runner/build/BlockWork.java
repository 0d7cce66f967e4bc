package dev.bobbin.runner.build;

import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.Layer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// Does what one block says, and makes its layer of it. Each command leaves a layer of its own, and so do the files
/// that are put between two of them; at the end they become one.
final class BlockWork {
    private final Site site;
    private final Site.Sources sources;
    private final Block block;
    private final List<Layer> below;
    private final List<BuildCache.Made> parts = new ArrayList<>();
    /// Of all that its steps put, and of all archives that they unpack.
    private final HeldFiles staged;

    private final HeldFiles unpacked;

    BlockWork(Site site, Site.Sources sources, Block block, List<Layer> below) {
        this.site = site;
        this.sources = sources;
        this.block = block;
        this.below = List.copyOf(below);
        this.staged = held(1);
        this.unpacked = held(1);
    }

    /// Does the steps.
    BuildCache.Made work() throws IOException, InterruptedException {
        var files = new ArrayList<Step>();
        for (var step : block.steps()) {
            if (!files.isEmpty() && (step instanceof Step.Run || isLinked(step) != isLinked(files.getFirst()))) {
                place(files);
                files.clear();
            }
            if (step instanceof Step.Run run) {
                run(run);
            } else {
                files.add(step);
            }
        }
        place(files);
        return switch (parts.size()) {
            case 0 -> new BuildCache.Made(null, 0);
            case 1 -> parts.getFirst();
            default -> squashed();
        };
    }

    private static boolean isLinked(Step step) {
        return step instanceof Step.Copy copy && copy.link();
    }

    private List<Layer> soFar() {
        var all = new ArrayList<>(below);
        parts.forEach(part -> all.add(part.layer()));
        return all;
    }

    private interface Writing {
        void to(LayerTar tar) throws IOException;
    }

    /// @param parts how many layers its files may fill
    private BuildCache.Made make(Writing writing, int parts) throws IOException {
        var bytes = new long[1];
        try {
            var layer = site.workshop().make(out -> {
                var tar = new LayerTar(
                        new BoundedOutput(out, disk(parts), block.line()),
                        site.order().time());
                writing.to(tar);
                tar.finish();
                bytes[0] = tar.unpackedBytes();
            });
            return new BuildCache.Made(layer, bytes[0]);
        } catch (ImageException e) {
            if (e.problem() != ImageProblem.INVALID) {
                throw e;
            }
            throw new BuildException(BuildException.Problem.STEP, block.line(), String.valueOf(e.getMessage()), e);
        }
    }

    /// What the files of so many parts may take.
    private long disk(int count) {
        var each = site.order().limits().diskBytes();
        return each > Long.MAX_VALUE / count ? Long.MAX_VALUE : each * count;
    }

    private HeldFiles held(int count) {
        return new HeldFiles(disk(count), block.line());
    }

    private BuildCache.Made squashed() throws IOException {
        try (var ground = site.stand(below);
                var all = site.stand(soFar())) {
            var own = site.directories(all.rootfs()).subList(0, parts.size());
            return make(
                    tar -> new Snapshot(own, ground.tree(), Snapshot.Traces.NONE, held(parts.size())).writeTo(tar),
                    parts.size());
        }
    }

    private void place(List<Step> steps) throws IOException, InterruptedException {
        if (steps.isEmpty()) {
            return;
        }
        try (var ground = site.stand(soFar())) {
            var tree = isLinked(steps.getFirst()) ? new LayeredTree(List.of()) : ground.tree();
            var files = new StagedFiles(tree, staged);
            try (var copying = new Copying(files, ground.rootfs()::identity, site.scratch(), disk(1), unpacked);
                    var open = new Open()) {
                for (var step : steps) {
                    if (Thread.interrupted()) {
                        throw new InterruptedException();
                    }
                    place(step, copying, open);
                }
                if (!files.isEmpty()) {
                    parts.add(make(files::writeTo, 1));
                }
            }
        }
    }

    private void place(Step step, Copying copying, Open open) throws IOException, InterruptedException {
        try {
            switch (step) {
                case Step.Copy copy -> {
                    var source = open.source(copy.source());
                    copying.copy(copy, source, Selection.of(copy, source));
                }
                case Step.InlineFile file -> copying.file(file);
                case Step.MakeDirectory directory -> copying.directory(directory);
                case Step.Run _ -> throw new IllegalStateException("a command puts no files");
            }
        } catch (IOException e) {
            var what = step instanceof Step.Copy copy ? " " + words(copy) : "";
            throw new BuildException(
                    BuildException.Problem.STEP, step.line(), "copy" + what + ": " + e.getMessage(), e);
        }
    }

    private static String words(Step.Copy step) {
        return "[" + String.join(" ", step.patterns()).replace("\\", "") + " " + step.destination() + "]";
    }

    /// Sources that are open until the layer is written.
    private final class Open implements AutoCloseable {
        private final List<Site.Ground> grounds = new ArrayList<>();

        Tree source(Source source) throws InterruptedException {
            var layers = sources.layers(source);
            if (layers.isEmpty()) {
                return sources.context();
            }
            var ground = site.stand(layers.get());
            grounds.add(ground);
            return ground.tree();
        }

        @Override
        public void close() {
            grounds.forEach(Site.Ground::close);
        }
    }

    private void run(Step.Run step) throws IOException, InterruptedException {
        var standing = soFar();
        if (standing.isEmpty()) {
            throw new BuildException(
                    BuildException.Problem.STEP, step.line(), "there is nothing to run in: the image has no files");
        }
        try (var ground = site.stand(standing);
                var open = new Open()) {
            new CommandStep(site, block, step).run(ground, open::source, ran -> keep(ran, ground.tree()));
        }
    }

    private void keep(Commands.Ran ran, Tree tree) throws IOException {
        var files = new long[1];
        var snapshot = new Snapshot(List.of(ran.upper()), tree, Snapshot.Traces.of(ran), held(1));
        var made = make(tar -> files[0] = snapshot.writeTo(tar), 1);
        if (files[0] > 0) {
            parts.add(made);
        }
    }
}
