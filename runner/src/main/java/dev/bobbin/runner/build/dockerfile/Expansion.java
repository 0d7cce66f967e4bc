package dev.bobbin.runner.build.dockerfile;

import dev.bobbin.runner.build.BuildException;
import org.jspecify.annotations.Nullable;

/// What words mean: quotes and escapes undone, variables put in. The forms are those of the Dockerfile reference, and
/// a missing variable is an empty one, as there.
final class Expansion {
    /// No process takes a longer argument or variable (`MAX_ARG_STRLEN`), so none is made: variables that double one
    /// another would fill any memory.
    private static final int LONGEST = 128 * 1024;

    private static final int DEEPEST = 50;
    private static final int END = -1;
    private static final String SPECIAL = "@*#?-$!0";

    private final Variables variables;
    private final char escape;
    private final int line;

    Expansion(Variables variables, char escape, int line) {
        this.variables = variables;
        this.escape = escape;
        this.line = line;
    }

    String word(String raw) {
        return new Reader(raw, true).until(END, false);
    }

    /// A text in which quotes mean nothing: the content of a heredoc.
    String text(String raw) {
        var out = new StringBuilder();
        var reader = new Reader(raw, true);
        while (reader.at < raw.length()) {
            reader.literally(out, "$");
        }
        return out.toString();
    }

    /// `raw` with its quotes and escapes undone, its variables left alone.
    static String unquoted(String raw, char escape, int line) {
        var expansion = new Expansion(_ -> null, escape, line);
        return expansion.new Reader(raw, false).until(END, false);
    }

    private BuildException refuse(String problem) {
        return BuildException.recipe(line, problem);
    }

    private final class Reader {
        private final String raw;
        private final boolean expands;
        private int at;
        private int depth;

        Reader(String raw, boolean expands) {
            this.raw = raw;
            this.expands = expands;
        }

        /// What stands before `stop`, which is passed.
        ///
        /// @param pattern whether it becomes a [ShellPattern], in which `\` still protects what was quoted
        private String until(int stop, boolean pattern) {
            var out = new StringBuilder();
            if (++depth > DEEPEST) {
                throw refuse("variables are nested over " + DEEPEST + " deep");
            }
            while (at < raw.length()) {
                var each = raw.charAt(at);
                if (each == stop) {
                    at++;
                    depth--;
                    return out.toString();
                }
                switch (each) {
                    case '\'' -> out.append(quoted(singleQuoted(), pattern));
                    case '"' -> out.append(quoted(doubleQuoted(), pattern));
                    case '$' -> out.append(expands ? dollar() : literal());
                    default -> {
                        at++;
                        if (each != escape) {
                            out.append(each);
                        } else if (at < raw.length()) {
                            out.append(quoted(String.valueOf(raw.charAt(at++)), pattern));
                        }
                    }
                }
                bound(out);
            }
            if (stop != END) {
                throw refuse("a \"}\" is missing in " + raw);
            }
            depth--;
            return out.toString();
        }

        private String singleQuoted() {
            var end = raw.indexOf('\'', at + 1);
            if (end < 0) {
                throw refuse("a closing ' is missing in " + raw);
            }
            var content = raw.substring(at + 1, end);
            at = end + 1;
            return content;
        }

        private String doubleQuoted() {
            var out = new StringBuilder();
            at++;
            while (at < raw.length()) {
                if (raw.charAt(at) == '"') {
                    at++;
                    return out.toString();
                }
                literally(out, "$\"");
            }
            throw refuse("a closing \" is missing in " + raw);
        }

        /// One character where quotes do not matter; the escape character takes the meaning of itself and of
        /// `meaningful` ones only.
        private void literally(StringBuilder out, String meaningful) {
            var each = raw.charAt(at);
            if (each == '$' && expands) {
                out.append(dollar());
                bound(out);
                return;
            }
            at++;
            var next = at < raw.length() ? raw.charAt(at) : 0;
            if (each == escape && (next == escape || meaningful.indexOf(next) >= 0)) {
                out.append(next);
                at++;
            } else {
                out.append(each);
            }
        }

        private char literal() {
            return raw.charAt(at++);
        }

        private String dollar() {
            at++;
            if (at < raw.length() && raw.charAt(at) == '{') {
                at++;
                return braced();
            }
            var name = name();
            return name.isEmpty() ? "$" : orEmpty(variables.get(name));
        }

        private String braced() {
            var name = name();
            if (name.isEmpty()) {
                throw refuse("no variable is named in " + raw + "; write ${NAME}");
            }
            var value = variables.get(name);
            var modifier = take();
            return switch (modifier) {
                case '}' -> orEmpty(value);
                case ':' -> chosen(name, value == null || value.isEmpty() ? null : value, take());
                case '-', '+', '?' -> chosen(name, value, modifier);
                case '#' -> {
                    var longest = taken('#');
                    yield new ShellPattern(until('}', true)).withoutPrefix(orEmpty(value), longest);
                }
                case '%' -> {
                    var longest = taken('%');
                    yield new ShellPattern(until('}', true)).withoutSuffix(orEmpty(value), longest);
                }
                case '/' -> replaced(orEmpty(value));
                default -> throw unknown(modifier);
            };
        }

        private String chosen(String name, @Nullable String value, char modifier) {
            var word = until('}', false);
            return switch (modifier) {
                case '-' -> value == null ? word : value;
                case '+' -> value == null ? "" : word;
                case '?' -> {
                    if (value == null) {
                        throw refuse(name + " is not set" + (word.isEmpty() ? "" : ": " + word));
                    }
                    yield value;
                }
                default -> throw unknown(modifier);
            };
        }

        private String replaced(String value) {
            var all = taken('/');
            var pattern = new ShellPattern(until('/', true));
            var replacement = until('}', false);
            return pattern.replaced(value, replacement, all)
                    .orElseThrow(() -> refuse("a value is too long for ${…/…}"));
        }

        private BuildException unknown(char modifier) {
            return refuse("\"" + modifier + "\" is no known modifier in " + raw
                    + "; there are ${V:-word} ${V-word} ${V:+word} ${V+word} ${V:?word} ${V?word} ${V#pattern}"
                    + " ${V%pattern} ${V/pattern/word}");
        }

        private char take() {
            if (at >= raw.length()) {
                throw refuse("a \"}\" is missing in " + raw);
            }
            return raw.charAt(at++);
        }

        private boolean taken(char expected) {
            var there = at < raw.length() && raw.charAt(at) == expected;
            at += there ? 1 : 0;
            return there;
        }

        private String name() {
            var begin = at;
            if (at >= raw.length()) {
                return "";
            }
            var first = raw.charAt(at);
            if (first >= '1' && first <= '9') {
                while (at < raw.length() && isDigit(raw.charAt(at))) {
                    at++;
                }
            } else if (SPECIAL.indexOf(first) >= 0) {
                at++;
            } else if (isLetter(first)) {
                while (at < raw.length() && (isLetter(raw.charAt(at)) || isDigit(raw.charAt(at)))) {
                    at++;
                }
            }
            return raw.substring(begin, at);
        }

        private void bound(StringBuilder out) {
            if (out.length() > LONGEST) {
                throw refuse("a value is longer than " + LONGEST + " characters, which no program could be given");
            }
        }
    }

    private static String quoted(String text, boolean pattern) {
        return pattern ? ShellPattern.quote(text) : text;
    }

    private static String orEmpty(@Nullable String value) {
        return value == null ? "" : value;
    }

    private static boolean isLetter(char each) {
        return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || each == '_';
    }

    private static boolean isDigit(char each) {
        return each >= '0' && each <= '9';
    }
}
