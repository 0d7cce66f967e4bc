package dev.bobbin.runner.build.minibox;

import dev.bobbin.runner.build.Base;
import dev.bobbin.runner.build.BaseImages;
import dev.bobbin.runner.build.Block;
import dev.bobbin.runner.build.BuildPlan;
import dev.bobbin.runner.build.BuildPlan.Past;
import dev.bobbin.runner.build.Source;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

/// A file in the older form on its way to a plan: a base, and steps in order. Each is a block on the one before, so
/// that a changed step leaves those before it cached.
final class LinearCompilation {
    private static final List<String> EVERYTHING_TO_APP = List.of(".", "/app");

    private final List<Line> lines;
    private final Foundation foundation;
    private final Shape shape = new Shape();
    private final List<Block> blocks = new ArrayList<>();
    private Base top;
    private String workdir = "/";
    private String user;

    private LinearCompilation(List<Line> lines, Foundation foundation) {
        this.lines = lines;
        this.foundation = foundation;
        this.top = foundation.base();
        this.user = foundation.config().user();
    }

    static BuildPlan plan(List<Line> lines, BaseImages images) throws InterruptedException {
        var base = base(lines);
        var compilation = new LinearCompilation(lines, Foundation.find(base, images));
        return compilation.plan();
    }

    /// Says what of the form is wrong without looking at any image; gives the line that names the base.
    static Line check(List<Line> lines) {
        var base = base(lines);
        base.first(base.keyword() + " requires an image argument");
        for (var line : lines) {
            switch (line.keyword()) {
                case "WORKDIR", "GOTO-FOLDER" -> line.first(line.keyword() + " requires a path");
                case "USER" -> line.first("USER requires a name");
                case "PKG", "ADD-PACKAGE" -> line.first(line.keyword() + " requires a package name");
                default -> {}
            }
        }
        return base;
    }

    private static Line base(List<Line> lines) {
        return lines.stream()
                .filter(line -> MiniBoxLanguage.LINEAR_BASES.contains(line.keyword()))
                .reduce((_, last) -> last)
                .orElseThrow();
    }

    private BuildPlan plan() {
        lines.forEach(this::follow);
        var history = blocks.stream()
                .map(block -> new Past(block.title(), block.name()))
                .toList();
        return new BuildPlan(blocks, top, foundation.config(shape), history, shape.warnings);
    }

    private void follow(Line line) {
        var environment = foundation.environment(new LinkedHashMap<>(shape.environment));
        var writer = new StepWriter(shape, environment, workdir, user);
        switch (line.keyword()) {
            case "RUN", "RUN-COMMAND" -> writer.run(line, line.rest());
            case "PKG", "ADD-PACKAGE" -> writer.install(line);
            case "INSTALL-DEPS" -> writer.run(line, ("npm install " + line.rest()).strip());
            case "CLONE-REPO" -> writer.run(line, "git clone " + line.rest());
            case "GOTO-FOLDER", "WORKDIR" -> writer.enter(line);
            case "COPY", "IMPORT-FILE" -> writer.copy(line, new Source.Context(), line.words());
            case "GRAB-ALL", "SYNC-PACK" -> writer.copy(line, new Source.Context(), EVERYTHING_TO_APP);
            case "SET-ENVIRONMENT", "ENV" -> shape.setVariables(line);
            case "CMD", "LAUNCH" -> shape.command = line.words();
            case "HEALTHCHECK" -> shape.setHealthcheck(line);
            case "USER" -> writer.become(line);
            case "PORT" -> shape.addPort(line);
            case "VOLUME" -> shape.volumes.addAll(line.words());
            default -> {
                if (!MiniBoxLanguage.LINEAR_BASES.contains(line.keyword())) {
                    shape.warn(line, "there is no " + line.keyword() + "; it is passed over");
                }
            }
        }
        workdir = writer.workdir();
        user = writer.user();
        if (!writer.steps().isEmpty()) {
            var name = "step-" + (blocks.size() + 1);
            var title = (line.keyword() + " " + line.rest()).strip();
            blocks.add(new Block(name, title, line.number(), top, List.of(), List.of(), writer.steps()));
            top = new Base.Result(name);
        }
    }
}
