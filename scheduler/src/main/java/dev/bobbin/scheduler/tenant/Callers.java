package dev.bobbin.scheduler.tenant;

import java.util.List;
import java.util.Optional;

/// Everybody who may call: turns what a request carries into a [Caller].
public final class Callers {
    private final List<Token> tokens;

    public Callers(List<Token> tokens) {
        this.tokens = List.copyOf(tokens);
    }

    /// Nobody is told apart: whoever reaches a listener may run jobs.
    public static Callers anybody() {
        return new Callers(List.of());
    }

    /// Whether a request must carry a token.
    public boolean needToken() {
        return !tokens.isEmpty();
    }

    /// Whether they are of several tenants, who do not trust one another.
    public boolean areSeveral() {
        return tokens.stream().map(token -> token.caller().tenant()).distinct().count() > 1;
    }

    /// The caller whose token has this secret. Compares with every token, so that the time tells nothing.
    public Optional<Caller> bearing(String secret) {
        var digest = Token.sha256(secret);
        var found = Optional.<Caller>empty();
        for (var token : tokens) {
            if (token.matches(digest)) {
                found = Optional.of(token.caller());
            }
        }
        return found;
    }
}
