package dev.bobbin.runner.build.dockerfile;

import dev.bobbin.runner.build.Source;
import dev.bobbin.runner.build.StepMount;
import dev.bobbin.runner.build.StepMount.Sharing;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/// The value of one `--mount=`.
final class MountFlag {
    private static final Map<String, Set<String>> KEYS = Map.of(
            "bind", Set.of("type", "target", "source", "from", "readonly", "readwrite"),
            "cache", Set.of("type", "target", "id", "sharing", "readonly", "readwrite", "mode", "uid", "gid"),
            "tmpfs", Set.of("type", "target", "size"),
            "secret", Set.of("type", "target", "id", "env", "required", "mode", "uid", "gid"));
    private static final Map<String, String> OTHER_NAMES =
            Map.of("dst", "target", "destination", "target", "src", "source", "ro", "readonly", "rw", "readwrite");
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,12})([kmgt]?)(?:i?b)?");
    private static final String SECRETS = "/run/secrets/";
    private static final String CACHE_MODE = "0755";
    private static final String SECRET_MODE = "0400";
    private static final int LONGEST_ID = 9;

    private final Statement statement;
    private final StageImage image;
    private final Compilation compilation;
    private final Expansion expansion;
    private final Map<String, String> values = new LinkedHashMap<>();

    MountFlag(Statement statement, String value, StageImage image, Compilation compilation) {
        this.statement = statement;
        this.image = image;
        this.compilation = compilation;
        this.expansion = image.expansion(statement);
        for (var field : value.split(",", -1)) {
            var equals = field.indexOf('=');
            var key = (equals < 0 ? field : field.substring(0, equals)).strip().toLowerCase(Locale.ROOT);
            var known = OTHER_NAMES.getOrDefault(key, key);
            var raw = equals < 0 ? "true" : field.substring(equals + 1);
            if (values.put(known, known.equals("from") ? raw : expansion.word(raw)) != null) {
                throw statement.refuse("--mount has " + known + " twice");
            }
        }
    }

    StepMount mount() throws InterruptedException {
        var type = values.getOrDefault("type", "bind");
        if (type.equals("ssh")) {
            throw statement.refuse(
                    "--mount=type=ssh is not supported; give the key as a secret: --mount=type=secret,id=…");
        }
        var keys = KEYS.get(type);
        if (keys == null) {
            throw statement.refuse(
                    "--mount has no type " + type + "; there are " + String.join(" ", new TreeSet<>(KEYS.keySet())));
        }
        for (var key : values.keySet()) {
            if (!keys.contains(key)) {
                throw statement.refuse("--mount=type=" + type + " has no " + key + " here; it has "
                        + String.join(" ", new TreeSet<>(keys)));
            }
        }
        return switch (type) {
            case "cache" -> cache();
            case "secret" -> secret();
            case "tmpfs" -> new StepMount.Tmpfs(target(), size());
            default -> bind();
        };
    }

    private StepMount bind() throws InterruptedException {
        var from = values.get("from");
        var path = image.settings()
                .resolve("/" + values.getOrDefault("source", ""))
                .substring(1);
        Source source = from == null
                ? new Source.Context()
                : new Source.Stack(compilation.named(statement, from, image.stage()));
        return new StepMount.Bind(target(), source, path, isWritable(false));
    }

    private StepMount cache() {
        var sharing = values.getOrDefault("sharing", "shared").toUpperCase(Locale.ROOT);
        if (!Set.of("SHARED", "PRIVATE", "LOCKED").contains(sharing)) {
            throw statement.refuse("sharing is shared, private or locked");
        }
        return new StepMount.Cache(
                target(),
                values.getOrDefault("id", target()),
                Sharing.valueOf(sharing),
                !isWritable(true),
                mode(CACHE_MODE),
                number("uid"),
                number("gid"));
    }

    private StepMount secret() {
        var variable = values.get("env");
        var path = values.get("target");
        var id = values.getOrDefault("id", path == null ? "" : path.substring(path.lastIndexOf('/') + 1));
        if (id.isEmpty()) {
            throw statement.refuse("a secret needs a name: --mount=type=secret,id=NAME");
        }
        var target = path != null ? target() : variable != null ? "" : SECRETS + id;
        return new StepMount.Secret(
                target, id, variable, isOn("required", false), mode(SECRET_MODE), number("uid"), number("gid"));
    }

    private String target() {
        var target = values.get("target");
        if (target == null || target.isEmpty()) {
            throw statement.refuse("--mount needs a place: target=/path");
        }
        var resolved = image.settings().resolve(target);
        if (resolved.equals("/")) {
            throw statement.refuse("--mount cannot cover the root directory");
        }
        return resolved;
    }

    private boolean isWritable(boolean otherwise) {
        return values.containsKey("readonly") ? !isOn("readonly", true) : isOn("readwrite", otherwise);
    }

    private boolean isOn(String key, boolean otherwise) {
        return switch (values.get(key)) {
            case null -> otherwise;
            case "true", "1" -> true;
            case "false", "0" -> false;
            case String other -> throw statement.refuse(key + " is true or false, not " + other);
        };
    }

    private int mode(String otherwise) {
        return Modes.octal(statement, "mode", values.getOrDefault("mode", otherwise));
    }

    private int number(String key) {
        var text = values.getOrDefault(key, "0");
        if (!text.matches("[0-9]{1," + LONGEST_ID + "}")) {
            throw statement.refuse(key + " is a number, not " + text);
        }
        return Integer.parseInt(text);
    }

    private long size() {
        var match = SIZE.matcher(values.getOrDefault("size", "0").toLowerCase(Locale.ROOT));
        if (!match.matches()) {
            throw statement.refuse("size is a number of bytes, such as 64m");
        }
        var shift = 10 * ("kmgt".indexOf(match.group(2)) + 1);
        return Long.parseLong(match.group(1)) << (match.group(2).isEmpty() ? 0 : shift);
    }
}
