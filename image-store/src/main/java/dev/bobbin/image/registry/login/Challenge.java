package dev.bobbin.image.registry.login;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// How a server wants to be shown credentials, as its `WWW-Authenticate` says.
///
/// @param scheme in lower case: `basic`, `bearer`
/// @param parameters by name in lower case
public record Challenge(String scheme, Map<String, String> parameters) {
    private static final int MOST = 32;

    public Challenge {
        parameters = Map.copyOf(parameters);
    }

    public Optional<String> parameter(String name) {
        return Optional.ofNullable(parameters.get(name));
    }

    /// The first challenge of `scheme` among the values of all `WWW-Authenticate` fields.
    public static Optional<Challenge> find(List<String> values, String scheme) {
        return values.stream()
                .flatMap(value -> parse(value).stream())
                .filter(one -> one.scheme.equals(scheme))
                .findFirst();
    }

    /// All challenges of one field, as far as they can be understood.
    static List<Challenge> parse(String value) {
        var all = new ArrayList<Challenge>();
        var text = new Scanner(value);
        while (all.size() < MOST) {
            text.skip(" \t,");
            var scheme = text.token();
            if (scheme.isEmpty()) {
                break;
            }
            all.add(new Challenge(scheme.toLowerCase(Locale.ROOT), text.parameters()));
        }
        return all;
    }

    /// A place in a header value.
    private static final class Scanner {
        private final String text;
        private int at;

        Scanner(String text) {
            this.text = text;
        }

        void skip(String characters) {
            while (at < text.length() && characters.indexOf(text.charAt(at)) >= 0) {
                at++;
            }
        }

        String token() {
            var start = at;
            while (at < text.length() && text.charAt(at) > ' ' && ",=\"".indexOf(text.charAt(at)) < 0) {
                at++;
            }
            return text.substring(start, at);
        }

        /// `name=value` pairs up to the end or the next scheme, a token that no `=` follows.
        Map<String, String> parameters() {
            var all = new LinkedHashMap<String, String>();
            while (all.size() < MOST) {
                skip(" \t,");
                var before = at;
                var name = token();
                skip(" \t");
                if (name.isEmpty() || at >= text.length() || text.charAt(at) != '=') {
                    at = before;
                    break;
                }
                at++;
                skip(" \t");
                all.putIfAbsent(name.toLowerCase(Locale.ROOT), value());
            }
            return all;
        }

        private String value() {
            if (at >= text.length() || text.charAt(at) != '"') {
                return token();
            }
            var value = new StringBuilder();
            for (at++; at < text.length() && text.charAt(at) != '"'; at++) {
                if (text.charAt(at) == '\\' && at + 1 < text.length()) {
                    at++;
                }
                value.append(text.charAt(at));
            }
            at = Math.min(text.length(), at + 1);
            return value.toString();
        }
    }
}
