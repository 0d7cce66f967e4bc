package dev.bobbin.runner.build.pattern;

import java.util.ArrayList;
import java.util.List;

/// What an ignore file says, as Docker reads it: a rule names files and directories, with all that is in these; `!`
/// takes them back; of all rules that apply to a path the last counts. All paths begin at the context's root.
public final class IgnoreRules {
    private static final String BYTE_ORDER_MARK = "\ufeff";

    private final List<Rule> rules;

    private IgnoreRules(List<Rule> rules) {
        this.rules = List.copyOf(rules);
    }

    /// Reads an ignore file.
    ///
    /// @throws IllegalArgumentException if a line has no meaning; its message names the line
    public static IgnoreRules read(String text) {
        var lines = (text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text).split("\r?\n", -1);
        var rules = new ArrayList<Rule>();
        for (var index = 0; index < lines.length; index++) {
            // a # is a comment in the first column only
            if (!lines[index].startsWith("#") && !lines[index].isBlank()) {
                try {
                    add(rules, lines[index].strip());
                } catch (IllegalArgumentException e) {
                    throw new IllegalArgumentException("line " + (index + 1) + ": " + e.getMessage(), e);
                }
            }
        }
        return new IgnoreRules(rules);
    }

    /// The rules that `patterns` are, one each.
    ///
    /// @throws IllegalArgumentException if one has no meaning
    public static IgnoreRules of(List<String> patterns) {
        var rules = new ArrayList<Rule>();
        patterns.forEach(pattern -> add(rules, pattern.strip()));
        return new IgnoreRules(rules);
    }

    /// Whether `path` does not take part.
    ///
    /// @param path without `/` at either end
    public boolean ignores(String path) {
        for (var rule : rules.reversed()) {
            if (rule.pattern.matchesOrContains(path)) {
                return !rule.takesBack;
            }
        }
        return false;
    }

    private static void add(List<Rule> rules, String line) {
        var takesBack = line.startsWith("!");
        var pattern = plain(takesBack ? line.substring(1).strip() : line);
        if (takesBack && pattern.isEmpty()) {
            throw new IllegalArgumentException("a ! takes back what stands after it, and nothing does");
        }
        // the root itself always takes part
        if (!pattern.isEmpty()) {
            rules.add(new Rule(PathPattern.of(pattern), takesBack));
        }
    }

    /// Without what says nothing: `./`, `//`, `/` at either end, and names that `..` leaves again.
    private static String plain(String pattern) {
        var parts = new ArrayList<String>();
        for (var part : pattern.split("/", -1)) {
            if (part.equals("..")) {
                if (!parts.isEmpty()) {
                    parts.removeLast();
                }
            } else if (!part.isEmpty() && !part.equals(".")) {
                parts.add(part);
            }
        }
        return String.join("/", parts);
    }

    private record Rule(PathPattern pattern, boolean takesBack) {}
}
