package dev.bobbin.runner.build;

import java.util.Optional;

/// A language in which recipes are written. Safe for use by many threads.
public interface RecipeLanguage {

    /// What the recipe is called where the request names none, such as `Dockerfile`.
    String fileName();

    /// Whether this text, of a file of this name, is of this language.
    boolean recognizes(String fileName, String text);

    /// Says what of the context does not take part. Asked before [#compile], with the files of the context's root that
    /// this language looks at.
    ///
    /// @param recipe path of the recipe in the context; empty if it came by itself
    /// @param files gives the text of a file of the context, if it has it
    ContextFilter filter(String recipe, ContextFiles files);

    /// Compiles a recipe.
    ///
    /// @throws BuildException RECIPE with its line, or what `bases` throws
    BuildPlan compile(Recipe recipe, BaseImages bases) throws InterruptedException;

    /// What of the context takes part.
    interface ContextFilter {
        ContextFilter EVERYTHING = (_, _) -> true;

        /// Whether this file or directory does.
        ///
        /// @param path relative to the context's root, without `/` at either end
        boolean keeps(String path, boolean directory);
    }

    /// Small files of the context.
    interface ContextFiles {
        Optional<String> text(String path);
    }
}
