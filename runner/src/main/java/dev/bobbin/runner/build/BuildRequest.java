package dev.bobbin.runner.build;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What is to be built.
///
/// @param recipe its text; `null` if it is in the context
/// @param file where it is in the context, or what it is called; `null` for what languages call theirs
/// @param target the stage or block to build; `null` for the last
/// @param arguments values for what the recipe declares
public record BuildRequest(
        BuildOrder order,
        @Nullable String recipe,
        @Nullable String file,
        @Nullable String target,
        Map<String, String> arguments) {

    public BuildRequest {
        arguments = Map.copyOf(arguments);
    }
}
