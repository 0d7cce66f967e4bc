package dev.bobbin.runner.build.dockerfile;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/// A pattern of a shell with `*`, `?` and `\` before what is meant literally. Matching takes time in proportion to
/// pattern and value, whatever they are.
final class ShellPattern {
    /// Of a value in which something is replaced: that takes the square of its length.
    private static final int LONGEST_REPLACED = 4096;

    private static final int ANY_TEXT = -1;
    private static final int ANY_CHARACTER = -2;

    /// Characters, and what stands for some.
    private final List<Integer> tokens = new ArrayList<>();

    ShellPattern(String text) {
        for (var at = 0; at < text.length(); at++) {
            switch (text.charAt(at)) {
                case '*' -> tokens.add(ANY_TEXT);
                case '?' -> tokens.add(ANY_CHARACTER);
                case '\\' -> {
                    at = Math.min(at + 1, text.length() - 1);
                    tokens.add((int) text.charAt(at));
                }
                default -> tokens.add((int) text.charAt(at));
            }
        }
    }

    /// The pattern that only `text` matches.
    static String quote(String text) {
        return text.replaceAll("[\\\\*?]", "\\\\$0");
    }

    String withoutPrefix(String value, boolean longest) {
        var end = end(value, 0, tokens, longest);
        return end < 0 ? value : value.substring(end);
    }

    String withoutSuffix(String value, boolean longest) {
        var reversed = new StringBuilder(value).reverse().toString();
        var end = end(reversed, 0, tokens.reversed(), longest);
        return end < 0 ? value : value.substring(0, value.length() - end);
    }

    /// `value` with `replacement` in the place of the first match, or of all; nothing if `value` is too long for it.
    Optional<String> replaced(String value, String replacement, boolean all) {
        if (value.length() > LONGEST_REPLACED) {
            return Optional.empty();
        }
        var out = new StringBuilder();
        var at = 0;
        var more = true;
        while (at < value.length()) {
            var end = more ? end(value, at, tokens, true) : -1;
            if (end > at) {
                out.append(replacement);
                more = all;
                at = end;
            } else {
                out.append(value.charAt(at++));
            }
        }
        return Optional.of(out.toString());
    }

    /// Where a match that begins at `begin` ends, the nearest or the farthest such place; -1 if there is none.
    private static int end(String value, int begin, List<Integer> tokens, boolean longest) {
        var found = -1;
        var reached = new BitSet(tokens.size() + 1);
        reached.set(0);
        for (var at = begin; ; at++) {
            passAnyText(reached, tokens);
            if (reached.get(tokens.size())) {
                found = at;
            }
            if (at == value.length() || reached.isEmpty() || (found >= 0 && !longest)) {
                return found;
            }
            reached = after(value.charAt(at), reached, tokens);
        }
    }

    private static void passAnyText(BitSet reached, List<Integer> tokens) {
        for (var token = reached.nextSetBit(0); token >= 0; token = reached.nextSetBit(token + 1)) {
            if (token < tokens.size() && tokens.get(token) == ANY_TEXT) {
                reached.set(token + 1);
            }
        }
    }

    private static BitSet after(char each, BitSet reached, List<Integer> tokens) {
        var next = new BitSet(tokens.size() + 1);
        for (var token = reached.nextSetBit(0); token >= 0; token = reached.nextSetBit(token + 1)) {
            if (token == tokens.size()) {
                continue;
            }
            int expected = tokens.get(token);
            if (expected == ANY_TEXT) {
                next.set(token);
            } else if (expected == ANY_CHARACTER || expected == each) {
                next.set(token + 1);
            }
        }
        return next;
    }
}
