package dev.bobbin.runner.build.dockerfile;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Takes words from the front of a text. White space within quotes or after the escape character ends no word; quotes
/// and escapes stay in it.
final class WordReader {
    private final String text;
    private final char escape;
    private int at;

    WordReader(String text, char escape) {
        this.text = text;
        this.escape = escape;
    }

    Optional<String> next() {
        skipSpace();
        var begin = at;
        while (at < text.length() && !Character.isWhitespace(text.charAt(at))) {
            pass();
        }
        return begin == at ? Optional.empty() : Optional.of(text.substring(begin, at));
    }

    /// The next word if it begins with `prefix`, else it stays.
    Optional<String> nextWith(String prefix) {
        skipSpace();
        return text.startsWith(prefix, at) ? next() : Optional.empty();
    }

    /// All words that are left.
    List<String> all() {
        var words = new ArrayList<String>();
        for (var word = next(); word.isPresent(); word = next()) {
            words.add(word.get());
        }
        return words;
    }

    /// What is left, without white space around it.
    String rest() {
        return text.substring(at).strip();
    }

    private void skipSpace() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
    }

    /// Passes a character, one that is escaped, or all that is between quotes.
    private void pass() {
        var each = text.charAt(at++);
        if (each == escape) {
            at = Math.min(at + 1, text.length());
        } else if (each == '\'' || each == '"') {
            while (at < text.length() && text.charAt(at) != each) {
                at += text.charAt(at) == escape && each == '"' ? 2 : 1;
            }
            at = Math.min(at + 1, text.length());
        }
    }
}
