package dev.bobbin.runner.build;

import java.util.regex.Pattern;

/// Patterns of paths as Go's `filepath.Match` has them: `*` and `?` stand for anything but `/`, `[a-z]` and `[^a-z]` for
/// one character, and what follows a backslash for itself.
final class Glob {
    private Glob() {}

    /// Whether it stands for anything but one name.
    static boolean isPattern(String text) {
        return text.chars().anyMatch(each -> each == '*' || each == '?' || each == '[' || each == '\\');
    }

    /// One part of a path.
    ///
    /// @param doubled whether `**` stands for any number of parts, as in ignore files
    /// @throws IllegalArgumentException if a range does not end
    static Pattern compile(String glob, boolean doubled) {
        var regex = new StringBuilder();
        for (var at = 0; at < glob.length(); at++) {
            var each = glob.charAt(at);
            switch (each) {
                case '*' -> {
                    if (doubled && glob.startsWith("**", at)) {
                        var slash = glob.startsWith("**/", at);
                        regex.append(slash ? "(?:.*/)?" : ".*");
                        at += slash ? 2 : 1;
                    } else {
                        regex.append("[^/]*");
                    }
                }
                case '?' -> regex.append("[^/]");
                case '[' -> at = range(glob, at, regex);
                case '\\' -> {
                    if (++at == glob.length()) {
                        throw new IllegalArgumentException("pattern ends with a backslash: " + glob);
                    }
                    literal(glob.charAt(at), regex);
                }
                default -> literal(each, regex);
            }
        }
        return Pattern.compile(regex.toString(), Pattern.DOTALL);
    }

    private static int range(String glob, int start, StringBuilder regex) {
        var at = start + 1;
        regex.append("(?!/)[");
        if (at < glob.length() && glob.charAt(at) == '^') {
            regex.append('^');
            at++;
        }
        for (var first = true; at < glob.length(); at++, first = false) {
            var each = glob.charAt(at);
            if (each == ']' && !first) {
                regex.append(']');
                return at;
            }
            if (each == '-' && !first && at + 1 < glob.length() && glob.charAt(at + 1) != ']') {
                regex.append('-');
                continue;
            }
            if (each == '\\' && at + 1 < glob.length()) {
                each = glob.charAt(++at);
            }
            literal(each, regex);
        }
        throw new IllegalArgumentException("pattern has a range without an end: " + glob);
    }

    private static void literal(char each, StringBuilder regex) {
        if (!Character.isLetterOrDigit(each) && each < 0x80) {
            regex.append('\\');
        }
        regex.append(each);
    }
}
