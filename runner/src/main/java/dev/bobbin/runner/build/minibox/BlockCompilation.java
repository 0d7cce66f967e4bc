package dev.bobbin.runner.build.minibox;

import dev.bobbin.runner.build.Base;
import dev.bobbin.runner.build.Block;
import dev.bobbin.runner.build.BuildException;
import dev.bobbin.runner.build.BuildPlan;
import dev.bobbin.runner.build.BuildPlan.Past;
import dev.bobbin.runner.build.Source;
import dev.bobbin.runner.build.minibox.BlockFile.NamedBlock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A file in block form on its way to a plan.
final class BlockCompilation {
    private static final String FROM = "FROM=";
    private static final String ROOT = "/";

    private final BlockFile file;
    private final Foundation foundation;
    private final Map<String, Block> compiled = new HashMap<>();
    /// Where each block is at its end.
    private final Map<String, String> workdirs = new HashMap<>();

    BlockCompilation(BlockFile file, Foundation foundation) {
        this.file = file;
        this.foundation = foundation;
    }

    /// The plan whose result is the block `target`, the last one if it is `null`.
    BuildPlan plan(@Nullable String target) {
        for (var block : sorted()) {
            compiled.put(block.name(), compile(block));
        }
        var blocks = ordered(file.blocks().keySet());
        var shape = file.shape();
        if (blocks.isEmpty()) {
            return new BuildPlan(blocks, foundation.base(), foundation.config(shape), List.of(), shape.warnings);
        }
        var result = target == null ? blocks.getLast().name() : target;
        if (!compiled.containsKey(result)) {
            throw BuildException.recipe(0, "there is no block " + result);
        }
        var history = ordered(stack(result)).stream()
                .map(block -> new Past(block.title(), block.name()))
                .toList();
        return new BuildPlan(blocks, new Base.Result(result), foundation.config(shape), history, shape.warnings);
    }

    /// All blocks, each behind those that it waits for.
    private List<NamedBlock> sorted() {
        var sorted = new ArrayList<NamedBlock>();
        var done = new HashSet<String>();
        var waiting = new ArrayList<>(file.blocks().values());
        while (!waiting.isEmpty()) {
            var ready = waiting.stream()
                    .filter(block -> done.containsAll(before(block)))
                    .toList();
            if (ready.isEmpty()) {
                throw waiting.getFirst().opening().refuse("circular or unsatisfiable block dependencies detected");
            }
            ready.forEach(block -> done.add(block.name()));
            sorted.addAll(ready);
            waiting.removeAll(ready);
        }
        return sorted;
    }

    private static Set<String> before(NamedBlock block) {
        var before = new LinkedHashSet<>(block.needs());
        before.addAll(block.after());
        block.steps().forEach(line -> {
            var from = from(line);
            if (from != null) {
                before.add(from);
            }
        });
        return before;
    }

    private Block compile(NamedBlock block) {
        var shape = file.shape();
        var environment = foundation.environment(shape.environment);
        var writer = new StepWriter(
                shape, environment, inheritedWorkdir(block), foundation.config().user());
        for (var line : block.steps()) {
            switch (line.keyword()) {
                case "RUN" -> writer.run(line, line.rest());
                case "PKG" -> writer.install(line);
                case "WORKDIR" -> writer.enter(line);
                case "USER" -> writer.become(line);
                default -> copy(line, writer);
            }
        }
        block.autoDeps().stream().limit(1).forEach(line -> writer.run(line, Scripts.installDependencies()));
        workdirs.put(block.name(), writer.workdir());
        return new Block(
                block.name(),
                "BLOCK " + block.name(),
                block.opening().number(),
                foundation.base(),
                block.needs(),
                block.after(),
                writer.steps());
    }

    private static void copy(Line line, StepWriter writer) {
        var from = from(line);
        if (from == null) {
            writer.copy(line, new Source.Context(), line.words());
        } else {
            writer.copy(
                    line,
                    new Source.OwnLayer(from),
                    line.words().subList(1, line.words().size()));
        }
    }

    /// The block that a COPY takes from, `null` if it takes from the context.
    private static @Nullable String from(Line line) {
        var named = line.keyword().equals("COPY")
                && !line.words().isEmpty()
                && line.words().getFirst().toUpperCase(Locale.ROOT).startsWith(FROM);
        return named ? line.words().getFirst().substring(FROM.length()) : null;
    }

    private String inheritedWorkdir(NamedBlock block) {
        return block.needs().reversed().stream()
                .map(name -> workdirs.getOrDefault(name, ROOT))
                .filter(workdir -> !workdir.equals(ROOT))
                .findFirst()
                .orElse(ROOT);
    }

    /// `block`, and those whose layers it sees.
    private Set<String> stack(String block) {
        var stack = new HashSet<String>();
        var open = new ArrayDeque<>(List.of(block));
        while (!open.isEmpty()) {
            var name = open.pop();
            var found = compiled.get(name);
            if (found != null && stack.add(name)) {
                open.addAll(found.needs());
            }
        }
        return stack;
    }

    /// Those of these names, in the order of the file.
    private List<Block> ordered(Collection<String> names) {
        var ordered = new ArrayList<Block>();
        for (var name : file.blocks().keySet()) {
            var block = compiled.get(name);
            if (block != null && names.contains(name)) {
                ordered.add(block);
            }
        }
        return ordered;
    }
}
