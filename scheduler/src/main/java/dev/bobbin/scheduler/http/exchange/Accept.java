package dev.bobbin.scheduler.http.exchange;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// The choice of a media type by the `Accept` header (RFC 9110, section 12.5.1).
public final class Accept {

    /// One range of the header: what it names, how much it is wanted, how exactly it names it.
    private record Range(String type, double quality) {
        int exactness(String offered) {
            if (type.equals(offered)) {
                return 3;
            }
            if (type.endsWith("/*") && offered.startsWith(type.substring(0, type.length() - 1))) {
                return 2;
            }
            return type.equals("*/*") ? 1 : 0;
        }
    }

    private Accept() {}

    /// The type of `offered` that the client wants most, the first if it has no wish; nothing if it wants none of them.
    ///
    /// @param values values of all `Accept` headers
    public static Optional<String> choose(List<String> values, List<String> offered) {
        var ranges = values.stream()
                .flatMap(value -> List.of(value.split(",", -1)).stream())
                .map(String::strip)
                .filter(range -> !range.isEmpty())
                .map(Accept::range)
                .toList();
        if (ranges.isEmpty()) {
            return Optional.of(offered.getFirst());
        }
        String chosen = null;
        var best = 0.0;
        for (var type : offered) {
            var score = score(type, ranges);
            if (score > best) {
                chosen = type;
                best = score;
            }
        }
        return Optional.ofNullable(chosen);
    }

    /// Quality first; among equals what is named more exactly, then what is named earlier.
    private static double score(String type, List<Range> ranges) {
        Range match = null;
        var exactness = 0;
        for (var range : ranges) {
            if (range.exactness(type) > exactness) {
                match = range;
                exactness = range.exactness(type);
            }
        }
        if (match == null || match.quality() <= 0) {
            return 0;
        }
        return match.quality() * 1e6 + exactness * 1e2 + Math.max(0, 50 - ranges.indexOf(match));
    }

    private static Range range(String text) {
        var parts = text.split(";", -1);
        var quality = 1.0;
        for (var index = 1; index < parts.length; index++) {
            var parameter = parts[index].strip().toLowerCase(Locale.ROOT);
            if (parameter.startsWith("q=")) {
                quality = quality(parameter.substring(2));
            }
        }
        return new Range(parts[0].strip().toLowerCase(Locale.ROOT), quality);
    }

    private static double quality(String text) {
        try {
            var quality = Double.parseDouble(text);
            return quality >= 0 && quality <= 1 ? quality : 0;
        } catch (NumberFormatException _) {
            return 0;
        }
    }
}
