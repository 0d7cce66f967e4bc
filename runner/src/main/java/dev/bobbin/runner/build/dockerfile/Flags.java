package dev.bobbin.runner.build.dockerfile;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// The `--name=value`s with which an instruction begins.
final class Flags {
    private static final String MARK = "--";

    private final Statement statement;
    private final String keyword;
    private final Map<String, List<String>> values = new LinkedHashMap<>();
    /// Those that stand without `=`.
    private final Set<String> bare = new HashSet<>();

    private Flags(Statement statement, String keyword) {
        this.statement = statement;
        this.keyword = keyword;
    }

    /// Takes them from the front of `words`.
    ///
    /// @param known those that may stand once
    /// @param repeated those that may stand often
    static Flags take(Statement statement, String keyword, WordReader words, Set<String> known, Set<String> repeated) {
        var flags = new Flags(statement, keyword);
        for (var word = words.nextWith(MARK); word.isPresent(); word = words.nextWith(MARK)) {
            if (word.get().equals(MARK)) {
                break;
            }
            var equals = word.get().indexOf('=');
            var name = equals < 0 ? word.get() : word.get().substring(0, equals);
            flags.add(name, equals < 0 ? null : word.get().substring(equals + 1), known, repeated);
        }
        return flags;
    }

    private void add(String name, @Nullable String value, Set<String> known, Set<String> repeated) {
        if (!known.contains(name) && !repeated.contains(name)) {
            var all = new TreeSet<>(known);
            all.addAll(repeated);
            throw statement.refuse(
                    keyword + " has no flag " + name + (all.isEmpty() ? "" : "; it has " + String.join(" ", all)));
        }
        var given = values.computeIfAbsent(name, _ -> new ArrayList<>());
        if (!given.isEmpty() && !repeated.contains(name)) {
            throw statement.refuse(name + " stands here twice; keep one");
        }
        given.add(value == null ? "" : value);
        if (value == null) {
            bare.add(name);
        }
    }

    /// The value of a flag that has one, as written.
    Optional<String> value(String name) {
        return values(name).stream().findFirst();
    }

    List<String> values(String name) {
        if (bare.contains(name)) {
            throw statement.refuse(name + " needs a value: " + name + "=…");
        }
        return List.copyOf(values.getOrDefault(name, List.of()));
    }

    /// Whether a flag is on that is either on or off.
    boolean isOn(String name, boolean otherwise) {
        if (!values.containsKey(name)) {
            return otherwise;
        }
        return bare.contains(name)
                || switch (values(name).getFirst()) {
                    case "true" -> true;
                    case "false" -> false;
                    default -> throw statement.refuse(name + " is true or false");
                };
    }
}
