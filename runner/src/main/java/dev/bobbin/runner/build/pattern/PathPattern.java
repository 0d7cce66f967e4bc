package dev.bobbin.runner.build.pattern;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/// A pattern over paths: `*` and `?` within a name, `**` over any number of names, `[a-z]` and `[^a-z]`, and `\` before
/// what is meant literally. Matching takes time in proportion to pattern and path, whatever they are.
public final class PathPattern {
    /*
     * A list of tokens, and the set of those that the next character may have to meet: a nondeterministic automaton
     * followed in all its states at once, so nothing is ever tried twice.
     */
    private final List<Token> tokens;

    private PathPattern(List<Token> tokens) {
        this.tokens = tokens;
    }

    /// Reads a pattern.
    ///
    /// @throws IllegalArgumentException if a class is not closed or has nothing in it, or a `\` stands last
    public static PathPattern of(String text) {
        var tokens = new ArrayList<Token>();
        var reader = new Reader(text);
        while (reader.at < text.length()) {
            reader.token(tokens);
        }
        return new PathPattern(tokens);
    }

    /// Whether it matches the whole path.
    public boolean matches(String path) {
        return follow(path, false);
    }

    /// Whether it matches the path or a directory that it lies in.
    public boolean matchesOrContains(String path) {
        return follow(path, true);
    }

    private boolean follow(String path, boolean directoriesToo) {
        var reached = new BitSet(tokens.size() + 1);
        reached.set(0);
        for (var at = 0; ; at++) {
            skip(reached);
            var end = at == path.length();
            if (reached.get(tokens.size()) && (end || (directoriesToo && path.charAt(at) == '/'))) {
                return true;
            }
            if (end || reached.isEmpty()) {
                return false;
            }
            reached = after(path.charAt(at), reached);
        }
    }

    /// Reaches what lies behind tokens that may stand for nothing.
    private void skip(BitSet reached) {
        for (var index = reached.nextSetBit(0); index >= 0; index = reached.nextSetBit(index + 1)) {
            switch (index == tokens.size() ? Kind.END : tokens.get(index).kind) {
                case IN_NAME, ANYTHING -> reached.set(index + 1);
                case NAMES -> reached.set(index + 1, index + 3);
                case LITERAL, ONE, CLASS, WITHIN_NAMES, END -> {}
            }
        }
    }

    private BitSet after(char each, BitSet reached) {
        var next = new BitSet(tokens.size() + 1);
        for (var index = reached.nextSetBit(0); index >= 0; index = reached.nextSetBit(index + 1)) {
            if (index == tokens.size()) {
                break;
            }
            var token = tokens.get(index);
            switch (token.kind) {
                case LITERAL, CLASS -> set(next, index + 1, token.holds(each));
                case ONE -> set(next, index + 1, each != '/');
                case IN_NAME -> set(next, index, each != '/');
                case ANYTHING -> next.set(index);
                case WITHIN_NAMES -> {
                    next.set(index);
                    set(next, index + 1, each == '/');
                }
                case NAMES, END -> {}
            }
        }
        return next;
    }

    private static void set(BitSet states, int state, boolean reached) {
        if (reached) {
            states.set(state);
        }
    }

    private enum Kind {
        LITERAL,
        /// Any character of a name.
        ONE,
        CLASS,
        /// Any part of a name.
        IN_NAME,
        /// Any number of whole names, each with its `/`; followed by WITHIN_NAMES, which are their characters.
        NAMES,
        WITHIN_NAMES,
        /// All that is left.
        ANYTHING,
        END
    }

    /// One element of a pattern.
    ///
    /// @param ranges of characters, the first and the last of each
    /// @param negated whether it holds all others
    private record Token(Kind kind, String ranges, boolean negated) {
        static Token of(Kind kind) {
            return new Token(kind, "", false);
        }

        static Token of(char literal) {
            return new Token(Kind.LITERAL, "" + literal + literal, false);
        }

        boolean holds(char each) {
            var found = false;
            for (var index = 0; index < ranges.length() && !found; index += 2) {
                found = ranges.charAt(index) <= each && each <= ranges.charAt(index + 1);
            }
            return kind == Kind.LITERAL ? found : found != negated && each != '/';
        }
    }

    private static final class Reader {
        private final String text;
        private int at;

        Reader(String text) {
            this.text = text;
        }

        void token(List<Token> tokens) {
            var each = text.charAt(at++);
            switch (each) {
                case '*' -> stars(tokens);
                case '?' -> tokens.add(Token.of(Kind.ONE));
                case '[' -> tokens.add(characters());
                case '\\' -> tokens.add(Token.of(escaped()));
                default -> tokens.add(Token.of(each));
            }
        }

        private void stars(List<Token> tokens) {
            if (!taken('*')) {
                tokens.add(Token.of(Kind.IN_NAME));
                return;
            }
            while (taken('*')) {
                // more stars say no more than two
            }
            taken('/');
            if (at == text.length()) {
                tokens.add(Token.of(Kind.ANYTHING));
            } else {
                tokens.add(Token.of(Kind.NAMES));
                tokens.add(Token.of(Kind.WITHIN_NAMES));
            }
        }

        private Token characters() {
            var negated = taken('^');
            var ranges = new StringBuilder();
            while (ranges.isEmpty() || !taken(']')) {
                var first = character();
                var last = taken('-') ? character() : first;
                if (last < first) {
                    throw new IllegalArgumentException(
                            "the pattern " + text + " has a range that ends before it begins");
                }
                ranges.append(first).append(last);
            }
            return new Token(Kind.CLASS, ranges.toString(), negated);
        }

        private char character() {
            if (at == text.length() || text.charAt(at) == ']' || text.charAt(at) == '-') {
                throw new IllegalArgumentException(
                        "the pattern " + text + " has a [ that is not closed, or nothing in it");
            }
            return taken('\\') ? escaped() : text.charAt(at++);
        }

        private char escaped() {
            if (at == text.length()) {
                throw new IllegalArgumentException("the pattern " + text + " ends with a \\ that protects nothing");
            }
            return text.charAt(at++);
        }

        private boolean taken(char expected) {
            var there = at < text.length() && text.charAt(at) == expected;
            at += there ? 1 : 0;
            return there;
        }
    }
}
