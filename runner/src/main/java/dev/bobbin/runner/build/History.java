package dev.bobbin.runner.build;

import dev.bobbin.image.ImageConfig;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/// What an image says of how it was made: what its base says, and then what the recipe did, where only blocks that made
/// a layer count as such.
final class History {
    private final BuildPlan plan;
    private final Schedule schedule;
    private final StoredBases bases;
    private final Instant time;

    History(BuildPlan plan, Schedule schedule, StoredBases bases, Instant time) {
        this.plan = plan;
        this.schedule = schedule;
        this.bases = bases;
        this.time = time;
    }

    /// @param madeLayer whether a block made one
    List<ImageConfig.Step> steps(Predicate<String> madeLayer) throws InterruptedException {
        var steps = new ArrayList<ImageConfig.Step>();
        if (ground(plan.result()) instanceof Base.Image(var reference)) {
            steps.addAll(bases.resolve(reference).config().origin().history());
        }
        if (plan.history().isEmpty()) {
            if (plan.result() instanceof Base.Result(var last)) {
                chain(schedule.block(last))
                        .forEach(block -> steps.add(step(block.title(), !madeLayer.test(block.name()))));
            }
        } else {
            plan.history().forEach(past -> {
                var block = past.block();
                steps.add(step(past.createdBy(), block == null || !madeLayer.test(block)));
            });
        }
        return steps;
    }

    private ImageConfig.Step step(String createdBy, boolean empty) {
        return new ImageConfig.Step(time, createdBy, "", "bobbin", empty);
    }

    /// What a stack stands on in the end.
    private Base ground(Base base) {
        var at = base;
        while (at instanceof Base.Result(var block)) {
            at = schedule.block(block).base();
        }
        return at;
    }

    /// The blocks whose layers a block's stack has, the lowest first.
    private List<Block> chain(Block block) {
        var chain = new ArrayList<Block>();
        if (block.base() instanceof Base.Result(var lower)) {
            chain.addAll(chain(schedule.block(lower)));
        }
        chain.addAll(schedule.between(block));
        chain.add(block);
        return chain;
    }
}
