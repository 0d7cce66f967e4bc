package dev.bobbin.runner.build.dockerfile;

import dev.bobbin.runner.build.BaseImages;
import dev.bobbin.runner.build.BuildException;
import dev.bobbin.runner.build.BuildPlan;
import dev.bobbin.runner.build.Recipe;
import dev.bobbin.runner.build.RecipeLanguage;
import dev.bobbin.runner.build.pattern.IgnoreRules;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/// Dockerfiles, as the reference of their version 1 has them. What is refused: sources of ADD that are not in the
/// context, SSH mounts, devices, `--security=insecure`, symbolic modes, stages for other machines.
public final class DockerfileLanguage implements RecipeLanguage {
    private static final Pattern NAMES =
            Pattern.compile("(?:dockerfile|containerfile)(?:\\..*)?|.*\\.(?:dockerfile|containerfile)");
    /// Names of files that are MiniBox's, even if they begin with FROM.
    private static final Pattern OTHERS = Pattern.compile("(?:minibox|boxfile)(?:\\..*)?|.*\\.(?:minibox|boxfile)");

    private static final Pattern FROM = Pattern.compile("(?im)^\\s*FROM\\s");

    private static final String IGNORE_FILE = ".dockerignore";

    @Override
    public String fileName() {
        return "Dockerfile";
    }

    @Override
    public boolean recognizes(String fileName, String text) {
        var name = fileName.substring(fileName.lastIndexOf('/') + 1).toLowerCase(Locale.ROOT);
        return NAMES.matcher(name).matches()
                || (!OTHERS.matcher(name).matches() && FROM.matcher(text).find());
    }

    /// An ignore file beside the recipe, named after it, comes before the one of the context.
    @Override
    public ContextFilter filter(String recipe, ContextFiles files) {
        for (var name : recipe.isEmpty() ? List.of(IGNORE_FILE) : List.of(recipe + IGNORE_FILE, IGNORE_FILE)) {
            var text = files.text(name);
            if (text.isPresent()) {
                var rules = rules(name, text.get());
                return (path, _) -> !rules.ignores(path);
            }
        }
        return ContextFilter.EVERYTHING;
    }

    private static IgnoreRules rules(String name, String text) {
        try {
            return IgnoreRules.read(text);
        } catch (IllegalArgumentException e) {
            throw new BuildException(BuildException.Problem.CONTEXT, 0, name + ", " + e.getMessage(), e);
        }
    }

    @Override
    public BuildPlan compile(Recipe recipe, BaseImages bases) throws InterruptedException {
        return new Compilation(recipe, bases).plan();
    }
}
