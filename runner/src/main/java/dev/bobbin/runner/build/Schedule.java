package dev.bobbin.runner.build;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The blocks of a plan that its result stands on, and what each waits for. Pure.
final class Schedule {
    private final Map<String, Block> blocks = new LinkedHashMap<>();
    private final Set<String> wanted = new LinkedHashSet<>();
    private final List<Block> order = new ArrayList<>();

    /// @throws BuildException RECIPE if a block is missing, is there twice, or waits for itself
    Schedule(BuildPlan plan) {
        for (var block : plan.blocks()) {
            if (blocks.put(block.name(), block) != null) {
                throw BuildException.recipe(block.line(), "there are two blocks named \"" + block.name() + "\"");
            }
        }
        var open = new ArrayDeque<String>();
        if (plan.result() instanceof Base.Result(var name)) {
            block(name, 0);
            open.add(name);
        }
        while (!open.isEmpty()) {
            var name = open.pop();
            if (wanted.add(name)) {
                open.addAll(waitsFor(block(name, 0)));
            }
        }
        checkOrder();
    }

    private Block block(String name, int line) {
        var block = blocks.get(name);
        if (block == null) {
            throw BuildException.recipe(line, "there is no block \"" + name + "\"");
        }
        return block;
    }

    /// Those that the result needs, in the order of the plan.
    List<Block> wanted() {
        return blocks.values().stream()
                .filter(block -> wanted.contains(block.name()))
                .toList();
    }

    Block block(String name) {
        return block(name, 0);
    }

    /// Blocks that have to be done before this one.
    Set<String> waitsFor(Block block) {
        var all = new LinkedHashSet<String>(block.needs());
        all.addAll(block.after());
        of(block.base(), all);
        for (var step : block.steps()) {
            switch (step) {
                case Step.Copy copy -> of(copy.source(), all);
                case Step.Run run ->
                    run.mounts().forEach(mount -> {
                        if (mount instanceof StepMount.Bind bind) {
                            of(bind.source(), all);
                        }
                    });
                case Step.InlineFile _, Step.MakeDirectory _ -> {}
            }
        }
        all.forEach(name -> block(name, block.line()));
        return all;
    }

    private static void of(Source source, Set<String> all) {
        switch (source) {
            case Source.Context _ -> {}
            case Source.Stack(var base) -> of(base, all);
            case Source.OwnLayer(var block) -> all.add(block);
        }
    }

    private static void of(Base base, Set<String> all) {
        if (base instanceof Base.Result(var block)) {
            all.add(block);
        }
    }

    /// Blocks whose own layers lie between a block's base and itself: what it needs and those need, in the order of the
    /// plan.
    List<Block> between(Block block) {
        var found = new LinkedHashSet<String>();
        var open = new ArrayDeque<>(block.needs());
        while (!open.isEmpty()) {
            var name = open.pop();
            if (found.add(name)) {
                open.addAll(block(name).needs());
            }
        }
        return blocks.values().stream()
                .filter(each -> found.contains(each.name()))
                .toList();
    }

    /// The same, each after all that it waits for.
    List<Block> inOrder() {
        return List.copyOf(order);
    }

    private void checkOrder() {
        var waiting = new LinkedHashMap<String, Set<String>>();
        wanted().forEach(block -> waiting.put(block.name(), new LinkedHashSet<>(waitsFor(block))));
        while (!waiting.isEmpty()) {
            var ready = new ArrayList<String>();
            waiting.forEach((name, before) -> {
                if (before.stream().noneMatch(waiting::containsKey)) {
                    ready.add(name);
                }
            });
            if (ready.isEmpty()) {
                var first = wanted().stream()
                        .filter(block -> waiting.containsKey(block.name()))
                        .findFirst()
                        .orElseThrow();
                throw BuildException.recipe(first.line(), "circular or unsatisfiable block dependencies detected");
            }
            ready.forEach(name -> {
                waiting.remove(name);
                order.add(block(name));
            });
        }
    }
}
