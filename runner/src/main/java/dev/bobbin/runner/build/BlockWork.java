package dev.bobbin.runner.build;

import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.ImageReference;
import dev.bobbin.image.Layer;
import dev.bobbin.image.store.Rootfs;
import dev.bobbin.image.store.Workshop;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.OutputSink;
import dev.bobbin.runner.build.pattern.IgnoreRules;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Does what one block says, and makes its layer of it. Each command leaves a layer of its own, and so do the files
/// that are put between two of them; at the end they become one.
final class BlockWork {
    private static final int LONGEST_COMPLAINT = 4096;
    private static final List<String> SHELL = List.of("/bin/sh", "-c");
    private static final ImageReference SHOWN = new ImageReference("build");

    private final Site site;
    private final Sources sources;
    private final Block block;
    private final List<Layer> below;
    private final List<Layer> parts = new ArrayList<>();

    /// What all blocks of a build share.
    ///
    /// @param layersDir below which unpacked layers lie
    /// @param scratch for what is needed for a moment
    record Site(
            BuildOrder order,
            Workshop workshop,
            Commands commands,
            Path layersDir,
            Path scratch,
            BuildWatcher watcher) {

        /// A stack of layers, as a tree and ready to be stood on.
        Ground stand(List<Layer> layers) {
            var config = new ImageConfig(Map.of(), List.of(), List.of(), "root", "/");
            var rootfs = workshop.lease(SHOWN, config, layers);
            return new Ground(
                    rootfs,
                    new LayeredTree(
                            rootfs.layers().stream().map(layersDir::resolve).toList()));
        }
    }

    /// Layers that are in use.
    record Ground(Rootfs rootfs, LayeredTree tree) implements AutoCloseable {
        @Override
        public void close() {
            rootfs.close();
        }
    }

    /// Where blocks copy from.
    interface Sources {
        /// The layers of a stack, the lowest first; nothing for the context.
        Optional<List<Layer>> layers(Source source) throws InterruptedException;

        BuildContext context();
    }

    BlockWork(Site site, Sources sources, Block block, List<Layer> below) {
        this.site = site;
        this.sources = sources;
        this.block = block;
        this.below = List.copyOf(below);
    }

    /// What the block's layer depends on.
    Key key() throws IOException, InterruptedException {
        var key = new Key(site.order.time(), below);
        for (var step : block.steps()) {
            switch (step) {
                case Step.Run run -> {
                    key.run(run, Networks.of(run, site.order));
                    for (var mount : run.mounts()) {
                        key.mount(mount);
                        if (mount instanceof StepMount.Bind bind) {
                            bound(key, bound(step.line(), bind));
                        }
                    }
                }
                case Step.Copy copy -> {
                    key.copy(copy);
                    key(key, copy.source(), copy);
                }
                case Step.InlineFile file -> key.file(file);
                case Step.MakeDirectory directory -> key.directory(directory);
            }
        }
        return key;
    }

    private void key(Key key, Source source, Step.Copy copy) throws IOException, InterruptedException {
        var layers = sources.layers(source);
        if (layers.isPresent()) {
            key.layers(layers.get());
        } else {
            var context = sources.context();
            key.files(context, Selection.of(copy, context), IgnoreRules.of(copy.excludes()));
        }
    }

    private void bound(Key key, Step.Copy copy) throws IOException, InterruptedException {
        var layers = sources.layers(copy.source());
        if (layers.isPresent()) {
            key.layers(layers.get());
        } else {
            key.bound(sources.context(), Selection.of(copy, sources.context()));
        }
    }

    /// A mount of files, as if they were copied.
    private static Step.Copy bound(int line, StepMount.Bind bind) {
        return new Step.Copy(line, bind.source(), List.of(bind.path().isEmpty() ? "." : bind.path()), "/");
    }

    /// Does the steps; gives the layer, or nothing if nothing changed.
    @Nullable
    Layer work() throws IOException, InterruptedException {
        var files = new ArrayList<Step>();
        for (var step : block.steps()) {
            if (step instanceof Step.Run run) {
                place(files);
                files.clear();
                run(run);
            } else {
                files.add(step);
            }
        }
        place(files);
        return switch (parts.size()) {
            case 0 -> null;
            case 1 -> parts.getFirst();
            default -> squashed();
        };
    }

    private List<Layer> soFar() {
        var all = new ArrayList<>(below);
        all.addAll(parts);
        return all;
    }

    private Layer make(Writing writing, long mostBytes) throws IOException {
        try {
            return site.workshop.make(
                    out -> {
                        var tar = new LayerTar(out, site.order.time());
                        writing.to(tar);
                        tar.finish();
                    },
                    mostBytes);
        } catch (ImageException e) {
            if (e.problem() != ImageProblem.INVALID) {
                throw e;
            }
            throw new BuildException(
                    BuildException.Problem.STEP, block.line(), e.getMessage() + " (the build's disk)", e);
        }
    }

    /// What the files of so many parts may take.
    private long disk(int count) {
        var each = site.order.limits().diskBytes();
        return each > Long.MAX_VALUE / count ? Long.MAX_VALUE : each * count;
    }

    private interface Writing {
        void to(LayerTar tar) throws IOException;
    }

    private Layer squashed() throws IOException {
        try (var ground = site.stand(below);
                var all = site.stand(soFar())) {
            var own = all.rootfs().layers().subList(0, parts.size()).stream()
                    .map(site.layersDir::resolve)
                    .toList();
            return make(new Squash(own, ground.tree())::writeTo, disk(parts.size()));
        }
    }

    private void place(List<Step> steps) throws IOException, InterruptedException {
        if (steps.isEmpty()) {
            return;
        }
        try (var ground = site.stand(soFar())) {
            var staged = new StagedFiles(ground.tree());
            try (var copying = new Copying(staged, ground.rootfs()::identity, site.scratch, disk(1));
                    var open = new Open()) {
                for (var step : steps) {
                    place(step, copying, open);
                }
                if (!staged.isEmpty()) {
                    parts.add(make(staged::writeTo, disk(1)));
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

    /// Sources that are open until the layer is written.
    private final class Open implements AutoCloseable {
        private final List<Ground> grounds = new ArrayList<>();

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
            grounds.forEach(Ground::close);
        }
    }

    private void run(Step.Run step) throws IOException, InterruptedException {
        var standing = soFar();
        if (standing.isEmpty()) {
            throw new BuildException(
                    BuildException.Problem.STEP, step.line(), "there is nothing to run in: the image has no files");
        }
        try (var ground = site.stand(standing);
                var open = new Open();
                var fixtures = new Fixtures(site.scratch, site.order.secrets())) {
            for (var mount : step.mounts()) {
                if (mount instanceof StepMount.Bind bind) {
                    fixtures.bind(bind, bound(step.line(), bind), open.source(bind.source()));
                } else {
                    fixtures.add(mount, step.line());
                }
            }
            var env = new LinkedHashMap<>(step.env());
            env.putAll(step.hiddenEnv());
            env.putAll(fixtures.variables());
            var network = Networks.of(step, site.order);
            var command = new Commands.Command(
                    site.order.tenant(), ground.rootfs(), step, env, site.order.limits(), network, fixtures.made());
            var complaint = new Complaint();
            try (var ran = site.commands.run(command, complaint)) {
                check(step, ran.outcome(), complaint);
                keep(ran, ground.tree());
            }
        }
    }

    private void keep(Commands.Ran ran, Tree tree) throws IOException {
        var omitted = new HashSet<>(Set.of("etc/hosts", "etc/resolv.conf"));
        var files = new long[1];
        var snapshot = new Snapshot(ran.upper(), ran.uidBase(), tree, omitted, ran.scaffolding());
        var layer = make(tar -> files[0] = snapshot.writeTo(tar), disk(1));
        if (files[0] > 0) {
            parts.add(layer);
        }
    }

    private static void check(Step.Run step, Outcome outcome, Complaint complaint) {
        if (outcome instanceof Outcome.Exited(var code) && code == 0) {
            return;
        }
        var how = switch (outcome) {
            case Outcome.Exited(var code) -> "exit status " + code;
            case Outcome.Killed killed -> "killed by signal " + killed.signal();
            case Outcome.OutOfMemory _ -> "out of memory";
            case Outcome.TimedOut _ -> "took longer than it may";
            case Outcome.OutputLimit _ -> "printed more than it may";
            case Outcome.Cancelled(var by) -> "cancelled by " + by;
            case Outcome.HostLost _ -> "its sandbox was lost";
            case Outcome.ImageError(var detail) -> detail;
            case Outcome.SandboxError(var detail) -> detail;
        };
        var hint = complaint.isAboutDevices() ? "; a step of a build can make no device nodes" : "";
        throw new FailedStep(step, outcome, "run " + words(step) + ": " + how + hint);
    }

    /// What the recipe says to run: without the shell that it did not name.
    private static List<String> words(Step.Run step) {
        var argv = step.argv();
        return argv.size() == SHELL.size() + 1 && argv.subList(0, SHELL.size()).equals(SHELL)
                ? List.of(argv.getLast())
                : argv;
    }

    private static String words(Step.Copy step) {
        return "[" + String.join(" ", step.patterns()).replace("\\", "") + " " + step.destination() + "]";
    }

    /// Passes output on, and remembers its end.
    private final class Complaint implements OutputSink {
        private final StringBuilder last = new StringBuilder();

        @Override
        public void accept(Output output) {
            if (output instanceof Output.Bytes bytes) {
                last.append(new String(bytes.copy(), StandardCharsets.ISO_8859_1));
                last.delete(0, Math.max(0, last.length() - LONGEST_COMPLAINT));
                site.watcher.printed(block.name(), bytes.stream(), bytes.data());
            }
        }

        boolean isAboutDevices() {
            return last.indexOf("mknod") >= 0 && last.indexOf("not permitted") >= 0;
        }
    }
}
