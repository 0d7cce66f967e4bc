package dev.bobbin.runner.seccomp;

import dev.bobbin.runner.kernel.Abi;
import dev.bobbin.runner.sandbox.Json;
import dev.bobbin.runner.seccomp.Profile.Condition;
import dev.bobbin.runner.seccomp.Profile.Operator;
import dev.bobbin.runner.seccomp.Profile.Rule;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Reads a profile in the format of OCI, with what Docker and Podman add to it. What is not understood is refused by
/// name; flags about how the kernel loads a filter are passed over, since none of them makes it stricter.
final class ProfileText {
    /// Of a job, as [Rule]s ask for them: those of `rights.c`.
    private static final Set<String> CAPABILITIES = Set.of(
            "CAP_CHOWN",
            "CAP_DAC_OVERRIDE",
            "CAP_FOWNER",
            "CAP_FSETID",
            "CAP_KILL",
            "CAP_SETGID",
            "CAP_SETUID",
            "CAP_SETPCAP",
            "CAP_NET_BIND_SERVICE",
            "CAP_SYS_CHROOT");

    private static final Set<String> KEYS = Set.of(
            "defaultAction",
            "defaultErrnoRet",
            "defaultErrno",
            "architectures",
            "archMap",
            "syscalls",
            "flags",
            "comment");
    private static final Set<String> CALL_KEYS =
            Set.of("names", "name", "action", "errnoRet", "errno", "args", "comment", "includes", "excludes");
    private static final Set<String> FILTER_KEYS = Set.of("caps", "arches", "minKernel");
    private static final int EPERM = 1;

    private ProfileText() {}

    /// The profile that `text` is, for a job on `machine`.
    ///
    /// @throws IllegalArgumentException if it is none
    static Profile read(String text, Abi machine) {
        var profile = Json.readObject(text);
        checkKeys(profile, KEYS, "the profile");
        var otherwise = Action.named(text(profile, "defaultAction"), errno(profile, "defaultErrnoRet"));
        var rules = new ArrayList<Rule>();
        for (var call : objects(profile, "syscalls")) {
            checkKeys(call, CALL_KEYS, "syscalls");
            if (applies(object(call, "includes"), object(call, "excludes"), machine)) {
                rules.add(rule(call));
            }
        }
        return new Profile(abis(profile, machine), otherwise, rules);
    }

    private static Set<Abi> abis(Map<String, @Nullable Object> profile, Abi machine) {
        var abis = EnumSet.of(machine);
        var words = new HashSet<>(texts(profile, "architectures"));
        for (var group : objects(profile, "archMap")) {
            if (Abi.named(text(group, "architecture")).filter(machine::equals).isPresent()) {
                words.addAll(texts(group, "subArchitectures"));
            }
        }
        // an ABI of another machine cannot be met on this one
        words.forEach(word -> Abi.named(word).ifPresent(abis::add));
        return abis;
    }

    private static Rule rule(Map<String, @Nullable Object> call) {
        var names = new HashSet<>(texts(call, "names"));
        if (call.get("name") != null) {
            names.add(text(call, "name"));
        }
        var conditions = new ArrayList<Condition>();
        for (var each : objects(call, "args")) {
            conditions.add(new Condition(
                    (int) number(each, "index", 0),
                    operator(text(each, "op")),
                    number(each, "value", 0),
                    number(each, "valueTwo", 0)));
        }
        return new Rule(names, Action.named(text(call, "action"), errno(call, "errnoRet")), conditions);
    }

    private static Operator operator(String word) {
        return switch (word) {
            case "SCMP_CMP_NE" -> Operator.NOT_EQUAL;
            case "SCMP_CMP_LT" -> Operator.LESS;
            case "SCMP_CMP_LE" -> Operator.LESS_OR_EQUAL;
            case "SCMP_CMP_EQ" -> Operator.EQUAL;
            case "SCMP_CMP_GE" -> Operator.GREATER_OR_EQUAL;
            case "SCMP_CMP_GT" -> Operator.GREATER;
            case "SCMP_CMP_MASKED_EQ" -> Operator.MASKED_EQUAL;
            default -> throw new IllegalArgumentException("the comparison " + word + " is not known here");
        };
    }

    private static boolean applies(
            Map<String, @Nullable Object> includes, Map<String, @Nullable Object> excludes, Abi machine) {
        checkKeys(includes, FILTER_KEYS, "includes");
        checkKeys(excludes, FILTER_KEYS, "excludes");
        var word = machine == Abi.AARCH64 ? "arm64" : "amd64";
        var arches = texts(includes, "arches");
        return CAPABILITIES.containsAll(texts(includes, "caps"))
                && texts(excludes, "caps").stream().noneMatch(CAPABILITIES::contains)
                && (arches.isEmpty() || arches.contains(word))
                && !texts(excludes, "arches").contains(word)
                && (includes.get("minKernel") == null || isAtLeast(text(includes, "minKernel")))
                && (excludes.get("minKernel") == null || !isAtLeast(text(excludes, "minKernel")));
    }

    /// Whether this machine's kernel is at least `version`, a major and a minor number.
    private static boolean isAtLeast(String version) {
        var wanted = version.split("\\.", -1);
        var running = System.getProperty("os.version").split("[^0-9]+", -1);
        var major = Integer.compare(Integer.parseInt(running[0]), Integer.parseInt(wanted[0]));
        return major != 0 ? major > 0 : Integer.parseInt(running[1]) >= Integer.parseInt(wanted[1]);
    }

    private static void checkKeys(Map<String, @Nullable Object> object, Set<String> known, String where) {
        for (var entry : object.entrySet()) {
            if (!known.contains(entry.getKey()) && entry.getValue() != null) {
                throw new IllegalArgumentException("\"" + entry.getKey() + "\" of " + where + " is not known here");
            }
        }
    }

    private static String text(Map<String, @Nullable Object> object, String key) {
        if (object.get(key) instanceof String text) {
            return text;
        }
        throw new IllegalArgumentException("\"" + key + "\" must be a text");
    }

    private static int errno(Map<String, @Nullable Object> object, String key) {
        return (int) number(object, key, EPERM);
    }

    private static long number(Map<String, @Nullable Object> object, String key, long otherwise) {
        return switch (object.get(key)) {
            case null -> otherwise;
            case Long number -> number;
            default -> throw new IllegalArgumentException("\"" + key + "\" must be a whole number");
        };
    }

    private static List<String> texts(Map<String, @Nullable Object> object, String key) {
        return list(object, key).stream()
                .map(each -> {
                    if (each instanceof String text) {
                        return text;
                    }
                    throw new IllegalArgumentException("\"" + key + "\" must be a list of texts");
                })
                .toList();
    }

    private static List<Map<String, @Nullable Object>> objects(Map<String, @Nullable Object> object, String key) {
        return list(object, key).stream().map(each -> asObject(each, key)).toList();
    }

    private static Map<String, @Nullable Object> object(Map<String, @Nullable Object> object, String key) {
        return object.get(key) == null ? Map.of() : asObject(object.get(key), key);
    }

    @SuppressWarnings("unchecked") // what Json makes
    private static Map<String, @Nullable Object> asObject(@Nullable Object value, String key) {
        if (value instanceof Map<?, ?> map) {
            return (Map<String, @Nullable Object>) map;
        }
        throw new IllegalArgumentException("\"" + key + "\" must be an object");
    }

    private static List<?> list(Map<String, @Nullable Object> object, String key) {
        return switch (object.get(key)) {
            case null -> List.of();
            case List<?> list -> list;
            default -> throw new IllegalArgumentException("\"" + key + "\" must be a list");
        };
    }
}
