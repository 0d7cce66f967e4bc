package dev.bobbin.runner.build.minibox;

import dev.bobbin.runner.build.BaseImages;
import dev.bobbin.runner.build.BuildException;
import dev.bobbin.runner.build.BuildPlan;
import dev.bobbin.runner.build.Recipe;
import dev.bobbin.runner.build.RecipeLanguage;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/// MiniBox files. What is not understood in one is passed over with a warning, since such files were always taken.
public final class MiniBoxLanguage implements RecipeLanguage {
    static final Set<String> LINEAR_BASES = Set.of("BOX", "FROM", "START-WITH");

    private static final String BLOCK_BASE = "BASE";
    private static final String IGNORE_FILE = ".miniboxignore";
    private static final Pattern NAMES = Pattern.compile("(?:minibox|boxfile)(?:\\..*)?|.*\\.(?:minibox|boxfile)");
    /// Names of files that are Dockerfiles, whatever stands in them.
    private static final Pattern OTHERS =
            Pattern.compile("(?:dockerfile|containerfile)(?:\\..*)?|.*\\.(?:dockerfile|containerfile)");

    private static final int MOST_LINES = 2000;

    @Override
    public String fileName() {
        return "MiniBox";
    }

    /// By its name, or by a word that only this language begins with: `FROM` alone says nothing, and a Dockerfile by
    /// its name is none.
    @Override
    public boolean recognizes(String fileName, String text) {
        var name = fileName.substring(fileName.lastIndexOf('/') + 1).toLowerCase(Locale.ROOT);
        return NAMES.matcher(name).matches() || (!OTHERS.matcher(name).matches() && hasOwnBase(text));
    }

    private static boolean hasOwnBase(String text) {
        return Line.read(text).stream()
                .map(Line::keyword)
                .filter(word -> isBase(word) || word.equals("ARG"))
                .findFirst()
                .filter(word -> !word.equals("FROM") && !word.equals("ARG"))
                .isPresent();
    }

    /// Names each an exact path, or the name of files and directories anywhere.
    @Override
    public ContextFilter filter(String recipe, ContextFiles files) {
        return files.text(IGNORE_FILE).map(MiniBoxLanguage::ignoring).orElse(ContextFilter.EVERYTHING);
    }

    private static ContextFilter ignoring(String text) {
        var names = new HashSet<String>();
        for (var line : text.split("\r?\n", -1)) {
            var name = line.strip().replaceAll("^(?:\\./|/)+|/+$", "");
            if (!name.isEmpty() && !name.startsWith("#")) {
                names.add(name);
            }
        }
        return (path, _) -> {
            for (var end = path.length(); end > 0; end = path.lastIndexOf('/', end - 1)) {
                var above = path.substring(0, end);
                if (names.contains(above) || names.contains(above.substring(above.lastIndexOf('/') + 1))) {
                    return false;
                }
            }
            return true;
        };
    }

    /// What can be said of a text before any image is looked for.
    ///
    /// @param base as the text names it
    public record Heading(StreamLines.Form form, String base) {}

    /// Says what is wrong with the text itself.
    ///
    /// @throws BuildException RECIPE
    public static Heading check(String text) {
        var lines = lines(text);
        if (isBlockForm(lines)) {
            var base = BlockFile.read(lines).base();
            return new Heading(StreamLines.Form.DAG, base.words().getFirst());
        }
        var base = LinearCompilation.check(lines);
        return new Heading(StreamLines.Form.LINEAR, base.words().getFirst());
    }

    @Override
    public BuildPlan compile(Recipe recipe, BaseImages bases) throws InterruptedException {
        var lines = lines(recipe.text());
        if (!isBlockForm(lines)) {
            LinearCompilation.check(lines);
            return LinearCompilation.plan(lines, bases);
        }
        var file = BlockFile.read(lines);
        return new BlockCompilation(file, Foundation.find(file.base(), bases)).plan(recipe.target());
    }

    private static List<Line> lines(String text) {
        var lines = Line.read(text);
        if (lines.size() > MOST_LINES) {
            throw lines.get(MOST_LINES).refuse("there are over " + MOST_LINES + " lines");
        }
        return lines;
    }

    /// The first line that names a base decides.
    static boolean isBlockForm(List<Line> lines) {
        return lines.stream()
                .map(Line::keyword)
                .filter(MiniBoxLanguage::isBase)
                .findFirst()
                .orElseThrow(() -> BuildException.recipe(0, "invalid Boxfile: missing BASE or BOX directive"))
                .equals(BLOCK_BASE);
    }

    private static boolean isBase(String keyword) {
        return keyword.equals(BLOCK_BASE) || LINEAR_BASES.contains(keyword);
    }
}
