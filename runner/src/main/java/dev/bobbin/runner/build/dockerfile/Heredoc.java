package dev.bobbin.runner.build.dockerfile;

import java.util.regex.Pattern;

/// A text that stands below its instruction: `<<EOF`, `<<-EOF`, `<<"EOF"`.
///
/// @param name what ends it, and what the file is called that COPY makes of it
/// @param word as it was written: `3<<-"EOF"`
/// @param expands whether variables in it are put in: its name has no quotes
/// @param stripsTabs whether leading tabs of its lines do not count
/// @param content its lines as written, each with a line end
record Heredoc(String name, String word, boolean expands, boolean stripsTabs, String content) {
    private static final Pattern LEADING_TABS = Pattern.compile("(?m)^\t+");

    /// The content without the tabs that do not count.
    String stripped() {
        return stripsTabs ? LEADING_TABS.matcher(content).replaceAll("") : content;
    }
}
