package dev.bobbin.runner.build.dockerfile;

import dev.bobbin.runner.build.BuildException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// Cuts a Dockerfile into [Statement]s: comments, continued lines, the `escape` directive and heredocs are its matter.
final class Lexer {
    private static final Pattern DIRECTIVE = Pattern.compile("#\\s*([a-zA-Z][a-zA-Z0-9]*)\\s*=\\s*(.*?)\\s*");
    /// Directives of the reference; all but `escape` are for other tools.
    private static final Set<String> KNOWN = Set.of("syntax", "escape", "check");
    private static final Pattern HEREDOC = Pattern.compile("\\d*<<(-?)([^<>|&;()]+)(?:[>|&;()].*)?");
    private static final Set<String> WITH_HEREDOCS = Set.of("ADD", "COPY", "RUN");
    private static final String BYTE_ORDER_MARK = "\ufeff";

    private final String[] lines;
    private int at;
    private char escape = '\\';

    private Lexer(String text) {
        var marked = text.startsWith(BYTE_ORDER_MARK);
        this.lines = (marked ? text.substring(1) : text).split("\r?\n", -1);
    }

    static List<Statement> read(String text) {
        var lexer = new Lexer(text);
        lexer.readDirectives();
        var statements = new ArrayList<Statement>();
        while (lexer.at < lexer.lines.length) {
            var line = lexer.lines[lexer.at];
            if (line.isBlank() || isComment(line)) {
                lexer.at++;
            } else {
                lexer.statement().ifPresent(statements::add);
            }
        }
        return statements;
    }

    /// Directives stand at the top, each once; the first line that is none ends them.
    private void readDirectives() {
        var seen = new ArrayList<String>();
        for (; at < lines.length; at++) {
            var match = DIRECTIVE.matcher(lines[at].strip());
            if (!match.matches() || !KNOWN.contains(match.group(1).toLowerCase(Locale.ROOT))) {
                return;
            }
            var name = match.group(1).toLowerCase(Locale.ROOT);
            if (seen.contains(name)) {
                throw BuildException.recipe(at + 1, "the directive " + name + " stands here twice; keep one");
            }
            seen.add(name);
            if (name.equals("escape")) {
                var value = match.group(2);
                if (!value.equals("\\") && !value.equals("`")) {
                    throw BuildException.recipe(at + 1, "the escape character is \\ or `, not \"" + value + "\"");
                }
                escape = value.charAt(0);
            }
        }
    }

    /// The statement that begins here; nothing if its lines are empty but for being continued.
    private Optional<Statement> statement() {
        var first = at + 1;
        var text = new StringBuilder();
        var more = true;
        while (more && at < lines.length) {
            var line = lines[at++];
            // comments and empty lines within an instruction count for nothing
            if (isComment(line) || (!text.isEmpty() && line.isBlank())) {
                continue;
            }
            var end = continued(line);
            more = end >= 0;
            text.append(more ? line.substring(0, end) : line);
        }
        var joined = text.toString().strip();
        return joined.isEmpty()
                ? Optional.empty()
                : Optional.of(new Statement(first, joined, heredocs(first, joined), escape));
    }

    /// Where the escape character stands that continues `line`; -1 if it ends here. Twice, it is an escaped one.
    private int continued(String line) {
        var end = line.stripTrailing().length() - 1;
        var single = end >= 0 && line.charAt(end) == escape && (end == 0 || line.charAt(end - 1) != escape);
        return single ? end : -1;
    }

    private List<Heredoc> heredocs(int line, String text) {
        var words = new WordReader(text, escape);
        var keyword = words.next().orElse("").toUpperCase(Locale.ROOT);
        var name = keyword.equals("ONBUILD") ? words.next().orElse("").toUpperCase(Locale.ROOT) : keyword;
        var all = new ArrayList<Heredoc>();
        if (WITH_HEREDOCS.contains(name) && text.contains("<<") && !words.rest().startsWith("[")) {
            for (var word : words.all()) {
                var match = HEREDOC.matcher(word);
                if (match.matches()) {
                    var ending = Expansion.unquoted(match.group(2), escape, line);
                    var quoted = !ending.equals(match.group(2));
                    var strips = !match.group(1).isEmpty();
                    all.add(new Heredoc(ending, word, !quoted, strips, content(line, ending, strips)));
                }
            }
        }
        return all;
    }

    private String content(int first, String ending, boolean stripsTabs) {
        var content = new StringBuilder();
        while (at < lines.length) {
            var line = lines[at++];
            if ((stripsTabs ? withoutTabs(line) : line).equals(ending)) {
                return content.toString();
            }
            content.append(line).append('\n');
        }
        throw BuildException.recipe(
                first, "the heredoc <<" + ending + " has no end; write a line that is only " + ending);
    }

    private static String withoutTabs(String line) {
        var tabs = 0;
        while (tabs < line.length() && line.charAt(tabs) == '\t') {
            tabs++;
        }
        return line.substring(tabs);
    }

    private static boolean isComment(String line) {
        return line.stripLeading().startsWith("#");
    }
}
