package dev.bobbin.ops.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;

/// Settings by key, merged from all places, each value a list of texts. Every key that is read becomes a known key;
/// what is left over when everything was read is refused by [#refuseUnknown].
final class Settings {
    private final Map<String, Value> values = new TreeMap<>();
    private final Map<String, List<String>> environment = new TreeMap<>();
    private final TreeSet<String> known = new TreeSet<>();

    /// Texts of one setting and the place they come from, for messages.
    private record Value(List<String> texts, String place) {}

    /// Adds settings that win over those added before.
    void add(Map<String, List<String>> settings, String place) {
        settings.forEach((key, texts) -> values.put(key, new Value(List.copyOf(texts), place)));
    }

    /// Adds `BOBBIN_*` variables; which key one stands for is known when the key is read.
    void addEnvironment(Map<String, String> variables) {
        variables.forEach((name, text) -> {
            if (name.startsWith("BOBBIN_")) {
                environment.put(name, List.of(text.split(",", -1)));
            }
        });
    }

    static String variable(String key) {
        return "BOBBIN_" + key.replace('.', '_').replace('-', '_').toUpperCase(Locale.ROOT);
    }

    /// Notes a variable that something else reads.
    void ignoreVariable(String name) {
        environment.remove(name);
    }

    String text(String key, String absent) {
        return one(key, absent, Function.identity());
    }

    Path path(String key, Path absent) {
        return one(key, absent, Path::of);
    }

    Duration duration(String key, Duration absent) {
        return one(key, absent, Quantities::duration);
    }

    long bytes(String key, long absent) {
        return one(key, absent, Quantities::bytes);
    }

    int integer(String key, int absent) {
        return one(key, absent, text -> {
            try {
                return Integer.valueOf(text);
            } catch (NumberFormatException _) {
                throw new IllegalArgumentException("must be a whole number, not \"" + text + "\"");
            }
        });
    }

    boolean onOff(String key, boolean absent) {
        return one(key, absent, text -> switch (text) {
            case "on", "true" -> true;
            case "off", "false" -> false;
            default -> throw new IllegalArgumentException("must be on or off, not \"" + text + "\"");
        });
    }

    List<String> texts(String key, List<String> absent) {
        return find(key)
                .map(value ->
                        value.texts().stream().filter(text -> !text.isEmpty()).toList())
                .orElse(absent);
    }

    /// A list of `NAME=VALUE`, in which a name may stand several times.
    Map<String, List<String>> pairs(String key) {
        var all = new LinkedHashMap<String, List<String>>();
        for (var text : texts(key, List.of())) {
            var equals = text.indexOf('=');
            if (equals < 1 || equals == text.length() - 1) {
                throw new ConfigException(key + ": must be a list of NAME=VALUE, not \"" + text + "\".");
            }
            all.computeIfAbsent(text.substring(0, equals), _ -> new ArrayList<>())
                    .add(text.substring(equals + 1));
        }
        return all;
    }

    /// A list of `NAME=FILE`, in which a name stands once.
    Map<String, Path> files(String key) {
        var all = new LinkedHashMap<String, Path>();
        pairs(key).forEach((name, files) -> {
            if (files.size() > 1) {
                throw new ConfigException(key + ": " + name + " is given twice.");
            }
            all.put(name, Path.of(files.getFirst()));
        });
        return all;
    }

    <T> T one(String key, T absent, Function<String, T> reader) {
        var value = find(key);
        if (value.isEmpty()) {
            return absent;
        }
        var texts = value.get().texts();
        try {
            if (texts.size() != 1) {
                throw new IllegalArgumentException("must be one value, not " + texts.size());
            }
            return reader.apply(texts.getFirst());
        } catch (IllegalArgumentException wrong) {
            throw new ConfigException(
                    key + ": " + wrong.getMessage() + " (" + value.get().place() + ").");
        }
    }

    /// Refuses the first key or variable that nothing has read, naming the nearest known one.
    void refuseUnknown() {
        for (var setting : values.entrySet()) {
            if (!known.contains(setting.getKey())) {
                throw unknown(
                        "setting",
                        setting.getKey(),
                        setting.getValue().place(),
                        known.stream().toList());
            }
        }
        for (var name : environment.keySet()) {
            throw unknown(
                    "variable",
                    name,
                    "environment",
                    known.stream().map(Settings::variable).toList());
        }
    }

    List<String> knownKeys() {
        return List.copyOf(known);
    }

    private Optional<Value> find(String key) {
        known.add(key);
        var variable = variable(key);
        var fromEnvironment = environment.remove(variable);
        var value = values.get(key);
        if (fromEnvironment == null || (value != null && value.place().equals(BobbinConfig.FLAGS))) {
            return Optional.ofNullable(value);
        }
        return Optional.of(new Value(fromEnvironment, variable));
    }

    private static ConfigException unknown(String what, String name, String place, List<String> known) {
        var nearest = known.stream()
                .min(Comparator.comparingInt(candidate -> distance(name, candidate)))
                .orElseThrow();
        return new ConfigException(
                "Unknown " + what + " \"" + name + "\" (" + place + "); the nearest known one is \"" + nearest + "\".");
    }

    /// The number of letters to change, add or leave out.
    private static int distance(String left, String right) {
        var row = new ArrayList<Integer>();
        for (var column = 0; column <= right.length(); column++) {
            row.add(column);
        }
        for (var line = 1; line <= left.length(); line++) {
            var diagonal = row.getFirst();
            row.set(0, line);
            for (var column = 1; column <= right.length(); column++) {
                var change = diagonal + (left.charAt(line - 1) == right.charAt(column - 1) ? 0 : 1);
                diagonal = row.get(column);
                row.set(column, Math.min(change, 1 + Math.min(diagonal, row.get(column - 1))));
            }
        }
        return row.getLast();
    }
}
