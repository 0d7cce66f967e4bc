package dev.bobbin.runner.build.minibox;

import dev.bobbin.runner.build.BuildException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/// One line that says something: words between white space, without quotes, comments or continuation.
///
/// @param number from 1
/// @param indented whether white space stands before its first word
/// @param keyword its first word in capitals
/// @param words those after it
record Line(int number, boolean indented, String keyword, List<String> words) {
    private static final Pattern SPACE = Pattern.compile("\\s+");

    Line {
        words = List.copyOf(words);
    }

    static List<Line> read(String text) {
        var lines = new ArrayList<Line>();
        var number = 0;
        for (var each : text.split("\r?\n", -1)) {
            number++;
            var stripped = each.strip();
            if (!stripped.isEmpty() && !stripped.startsWith("#")) {
                var words = List.of(SPACE.split(stripped, -1));
                lines.add(new Line(
                        number,
                        Character.isWhitespace(each.charAt(0)),
                        words.getFirst().toUpperCase(Locale.ROOT),
                        words.subList(1, words.size())));
            }
        }
        return lines;
    }

    /// Its first word after the keyword.
    ///
    /// @param otherwise the refusal if there is none
    String first(String otherwise) {
        if (words.isEmpty()) {
            throw refuse(otherwise);
        }
        return words.getFirst();
    }

    String rest() {
        return String.join(" ", words);
    }

    BuildException refuse(String problem) {
        return BuildException.recipe(number, problem);
    }
}
