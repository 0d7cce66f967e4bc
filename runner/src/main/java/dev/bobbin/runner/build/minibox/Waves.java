package dev.bobbin.runner.build.minibox;

import dev.bobbin.runner.BuildEvent;
import dev.bobbin.runner.build.Base;
import dev.bobbin.runner.build.Block;
import dev.bobbin.runner.build.BuildPlan;
import dev.bobbin.runner.build.Source;
import dev.bobbin.runner.build.Step;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The blocks of a build in waves: the first waits for nothing, each other one for those before it.
final class Waves {
    private static final String ROOT = "/";

    private final Map<String, Block> blocks = new LinkedHashMap<>();
    private final Map<String, Integer> waves = new HashMap<>();
    /// Working directories.
    private final Map<String, String> begins = new HashMap<>();

    private final Map<String, String> ends = new HashMap<>();
    private final Map<Integer, Wave> open = new HashMap<>();
    private final int layers;

    /// Of all blocks of `plan` that its result waits for.
    Waves(BuildPlan plan) {
        plan.blocks().forEach(block -> blocks.put(block.name(), block));
        var wanted = reached(plan.result(), Waves::before);
        layers = (int) reached(plan.result(), Waves::beneath).stream()
                .map(blocks::get)
                .filter(block -> block != null && !block.steps().isEmpty())
                .count();
        blocks.keySet().retainAll(wanted);
        while (waves.size() < blocks.size()) {
            var known = waves.size();
            blocks.values().forEach(this::place);
            if (waves.size() == known) {
                throw new IllegalArgumentException("blocks wait for one another");
            }
        }
    }

    private Set<String> reached(Base result, Function<Block, Set<String>> next) {
        var reached = new LinkedHashSet<String>();
        var left = new ArrayDeque<String>();
        if (result instanceof Base.Result(var name)) {
            left.add(name);
        }
        while (!left.isEmpty()) {
            var block = blocks.get(left.pop());
            if (block != null && reached.add(block.name())) {
                left.addAll(next.apply(block));
            }
        }
        return reached;
    }

    private void place(Block block) {
        var before = before(block);
        if (waves.keySet().containsAll(before)) {
            var last = before.stream()
                    .mapToInt(name -> waves.getOrDefault(name, 0))
                    .max();
            waves.putIfAbsent(block.name(), last.orElse(0) + 1);
            locate(block);
        }
    }

    /// Finds out where a block begins and ends; those that it needs are known.
    private void locate(Block block) {
        var begin = block.needs().reversed().stream()
                .map(name -> ends.getOrDefault(name, ROOT))
                .filter(workdir -> !workdir.equals(ROOT))
                .findFirst()
                .orElse(ROOT);
        var end = begin;
        for (var step : block.steps()) {
            if (step instanceof Step.MakeDirectory directory) {
                end = directory.path();
            }
        }
        begins.put(block.name(), begin);
        ends.put(block.name(), end);
    }

    private static Set<String> before(Block block) {
        var before = beneath(block);
        before.addAll(block.after());
        for (var step : block.steps()) {
            if (step instanceof Step.Copy copy && copy.source() instanceof Source.OwnLayer(var name)) {
                before.add(name);
            }
        }
        return before;
    }

    private static Set<String> beneath(Block block) {
        var beneath = new LinkedHashSet<>(block.needs());
        if (block.base() instanceof Base.Result(var name)) {
            beneath.add(name);
        }
        return beneath;
    }

    int blocks() {
        return blocks.size();
    }

    /// How many blocks give the image a layer, at most.
    int layers() {
        return layers;
    }

    @Nullable
    Block block(String name) {
        return blocks.get(name);
    }

    int wave(String name) {
        return waves.getOrDefault(name, 1);
    }

    List<String> ready(int wave) {
        return blocks.keySet().stream().filter(name -> wave(name) == wave).toList();
    }

    /// Whether this is the first that is heard of the wave.
    boolean begin(int wave) {
        return open.putIfAbsent(wave, new Wave()) == null;
    }

    /// Notes that a block is done; says how its wave went if it was the last of it.
    Optional<String> end(BuildEvent event) {
        var number = wave(event.step());
        var wave = open.computeIfAbsent(number, _ -> new Wave());
        if (event.kind() == BuildEvent.Kind.CACHED) {
            wave.cached++;
        } else {
            wave.built++;
            wave.time = wave.time.plusMillis(event.millis());
        }
        return wave.cached + wave.built == ready(number).size()
                ? Optional.of(
                        "cached=" + wave.cached + " built=" + wave.built + " cpu_time=" + Durations.text(wave.time))
                : Optional.empty();
    }

    /// Where a block begins.
    String workdir(String name) {
        return begins.getOrDefault(name, ROOT);
    }

    /// What a block copies from other blocks.
    static List<String> copies(Block block) {
        var copies = new ArrayList<String>();
        for (var step : block.steps()) {
            if (step instanceof Step.Copy copy && copy.source() instanceof Source.OwnLayer) {
                copies.add("copy " + String.join(" ", copy.patterns()).replace("\\", "") + " -> " + copy.destination());
            }
        }
        return copies;
    }

    /// How a wave goes.
    private static final class Wave {
        private int cached;
        private int built;
        private Duration time = Duration.ZERO;
    }
}
