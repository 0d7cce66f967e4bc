package dev.bobbin.runner.build;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/// Which paths are left out, as ignore files of Docker say it: the last line that says something of a path, or of a
/// directory above it, counts; `!` lets in again.
public final class PathPatterns {
    private final List<Line> lines = new ArrayList<>();

    private record Line(Pattern pattern, boolean exception) {}

    /// @throws IllegalArgumentException with a word about a pattern that cannot be
    public PathPatterns(List<String> patterns) {
        for (var each : patterns) {
            var text = each.strip();
            var exception = text.startsWith("!");
            var plain = Names.plain(exception ? text.substring(1).strip() : text);
            if (!plain.isEmpty()) {
                lines.add(new Line(Glob.compile(Names.raw(plain), true), exception));
            }
        }
    }

    /// Those of an ignore file's text.
    public static PathPatterns of(String text) {
        var plain = text.startsWith("\uFEFF") ? text.substring(1) : text;
        return new PathPatterns(
                plain.lines().filter(line -> !line.startsWith("#")).toList());
    }

    public boolean isEmpty() {
        return lines.isEmpty();
    }

    /// Whether this path, relative to the root and as a recipe would write it, is left out.
    public boolean leavesOut(String path) {
        return leavesOutRaw(Names.raw(path));
    }

    boolean leavesOutRaw(String path) {
        var out = false;
        for (var line : lines) {
            if (line.exception == out && matches(line.pattern, path)) {
                out = !line.exception;
            }
        }
        return out;
    }

    private static boolean matches(Pattern pattern, String path) {
        for (var above = path; !above.isEmpty(); above = Names.parent(above)) {
            if (pattern.matcher(above).matches()) {
                return true;
            }
        }
        return false;
    }
}
