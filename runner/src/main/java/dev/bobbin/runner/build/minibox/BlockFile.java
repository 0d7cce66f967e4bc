package dev.bobbin.runner.build.minibox;

import dev.bobbin.runner.build.BuildException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A file in block form: a base, and named blocks that need one another.
///
/// @param base the line that names it
/// @param blocks in the order of the file
record BlockFile(Line base, Map<String, NamedBlock> blocks, Shape shape) {
    private static final Map<String, String> MISSING =
            Map.of("WORKDIR", "a path", "PKG", "a package name", "USER", "a name");

    static BlockFile read(List<Line> lines) {
        var reading = new Reading();
        lines.forEach(reading::read);
        var base = reading.base;
        if (base.isEmpty()) {
            throw BuildException.recipe(0, "invalid Boxfile: missing BASE directive");
        }
        return new BlockFile(base.getLast(), reading.blocks, reading.shape);
    }

    /// One block as it is written.
    ///
    /// @param needs those whose layers it sees
    /// @param after those that have to be done before
    /// @param steps lines of RUN, COPY, WORKDIR, PKG and USER
    /// @param autoDeps the lines of AUTO-DEPS
    record NamedBlock(Line opening, List<String> needs, List<String> after, List<Line> steps, List<Line> autoDeps) {
        String name() {
            return opening.words().getFirst();
        }
    }

    private static final class Reading {
        private final List<Line> base = new ArrayList<>();
        private final Map<String, NamedBlock> blocks = new LinkedHashMap<>();
        private final Shape shape = new Shape();
        /// The open block, or none.
        private final List<NamedBlock> open = new ArrayList<>();

        void read(Line line) {
            if (!line.indented()) {
                readTop(line);
            } else if (open.isEmpty()) {
                shape.warn(line, line.keyword() + " stands in no block and is passed over");
            } else {
                readWithin(line, open.getFirst());
            }
        }

        private void readTop(Line line) {
            switch (line.keyword()) {
                case "BASE" -> {
                    line.first("BASE requires an image argument");
                    base.add(line);
                    open.clear();
                }
                case "BLOCK" -> open(line);
                case "START" -> {
                    shape.command = line.words();
                    open.clear();
                }
                case "HEALTHCHECK" -> {
                    shape.setHealthcheck(line);
                    open.clear();
                }
                default -> shape.warn(line, "there is no " + line.keyword() + " outside blocks; it is passed over");
            }
        }

        private void open(Line line) {
            var name = line.first("BLOCK requires a name");
            var block =
                    new NamedBlock(line, new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
            if (blocks.put(name, block) != null) {
                throw line.refuse("there are two blocks " + name);
            }
            open.clear();
            open.add(block);
        }

        private void readWithin(Line line, NamedBlock block) {
            switch (line.keyword()) {
                case "NEED" -> block.needs.add(line.first("NEED requires a block name"));
                case "BNEED" -> block.after.add(line.first("BNEED requires a block name"));
                case "ENV" -> shape.setVariables(line);
                case "PORT" -> shape.addPort(line);
                case "VOLUME" -> shape.volumes.addAll(line.words());
                case "AUTO-DEPS" -> block.autoDeps.add(line);
                case "RUN", "COPY" -> block.steps.add(line);
                case "WORKDIR", "PKG", "USER" -> {
                    line.first(line.keyword() + " requires " + MISSING.get(line.keyword()));
                    block.steps.add(line);
                }
                default -> shape.warn(line, "there is no " + line.keyword() + " in a block; it is passed over");
            }
        }
    }
}
