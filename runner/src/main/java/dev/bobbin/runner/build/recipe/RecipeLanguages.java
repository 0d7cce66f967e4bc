package dev.bobbin.runner.build.recipe;

import dev.bobbin.runner.build.RecipeLanguage;
import dev.bobbin.runner.build.dockerfile.DockerfileLanguage;
import dev.bobbin.runner.build.minibox.MiniBoxLanguage;
import java.util.List;
import java.util.function.Predicate;

/// The languages that recipes are written in.
public final class RecipeLanguages {
    private static final RecipeLanguage DOCKERFILE = new DockerfileLanguage();

    /// In the order in which a context is searched for the file that each has where none is named.
    public static final List<RecipeLanguage> ALL = List.of(DOCKERFILE, new MiniBoxLanguage());

    private RecipeLanguages() {}

    /// The language of a file: by its name, else by what stands in it; a Dockerfile if neither says so.
    ///
    /// @param fileName with or without directories; empty if it has none
    public static RecipeLanguage of(String fileName, String text) {
        return first(
                language -> language.recognizes(fileName, ""),
                first(language -> language.recognizes("", text), DOCKERFILE));
    }

    private static RecipeLanguage first(Predicate<RecipeLanguage> test, RecipeLanguage otherwise) {
        // what a MiniBox file begins with stands in no Dockerfile, but not the other way round
        return ALL.reversed().stream().filter(test).findFirst().orElse(otherwise);
    }
}
