package dev.bobbin.runner.build;

import dev.bobbin.image.ImageConfig;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a recipe says: blocks that need one another, and the image that comes of them. Only what the result stands on
/// is carried out.
///
/// @param blocks in the order of the recipe, in which layers of those that need each other's are stacked
/// @param result the stack whose layers are the image's
/// @param config how the image's programs are run, complete, what it inherits of its base included; its origin is not
///        looked at
/// @param history what was done above the base, in order, for the image's history; empty for one entry for each layer
/// @param warnings what the recipe should rather not say; shown and never fatal
public record BuildPlan(
        List<Block> blocks, Base result, ImageConfig config, List<Past> history, List<Warning> warnings) {

    public BuildPlan {
        blocks = List.copyOf(blocks);
        history = List.copyOf(history);
        warnings = List.copyOf(warnings);
    }

    /// One entry of the image's history.
    ///
    /// @param createdBy the instruction
    /// @param block the one whose layer this is; `null` if it makes none
    public record Past(String createdBy, @Nullable String block) {}

    /// What was noticed.
    ///
    /// @param line of the recipe, from 1
    public record Warning(int line, String text) {}
}
