package dev.bobbin.runner.build;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The text of a build file, and what the request says besides.
///
/// @param fileName as the request or the language names it
/// @param target the stage or block to build; `null` for the last
/// @param arguments values for the arguments that the recipe declares
public record Recipe(String fileName, String text, @Nullable String target, Map<String, String> arguments) {

    public Recipe {
        arguments = Map.copyOf(arguments);
    }
}
