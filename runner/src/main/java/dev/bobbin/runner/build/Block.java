package dev.bobbin.runner.build;

import java.util.List;

/// Steps that together become at most one layer: those of one instruction of a Dockerfile, or of a named block of
/// several. A block is begun as soon as those are done that it needs, follows, stands on or copies from.
///
/// What its steps see is the stack of `base`, above it the own layers of all blocks that it needs and that these need
/// in turn, each once, in the order of the plan; above that what the steps before did. Needed blocks give their own
/// layers only: their bases are not looked at.
///
/// @param name unique in the plan, how blocks speak of one another
/// @param title what a person sees, such as `[build 2/4] RUN make`; of one line
/// @param line where it stands in the recipe, from 1
/// @param needs blocks whose layers it sees
/// @param after blocks that have to be done before, of which it sees nothing; what it copies from need not be named
/// @param steps in order; one without a step makes no layer and is done with its needs
public record Block(
        String name, String title, int line, Base base, List<String> needs, List<String> after, List<Step> steps) {

    public Block {
        needs = List.copyOf(needs);
        after = List.copyOf(after);
        steps = List.copyOf(steps);
    }

    /// Whether its layer depends on what it stands on.
    boolean dependsOnBase() {
        return !steps.stream().allMatch(step -> step instanceof Step.Copy copy && !copy.dependsOnBase());
    }
}
