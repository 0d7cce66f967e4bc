package dev.bobbin.runner.build.dockerfile;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/// What HEALTHCHECK says, in the shape that an image's configuration has: nanoseconds, `CMD` and `CMD-SHELL`.
final class HealthcheckJson {
    /// In the order in which they are written: the same HEALTHCHECK gives the same image in every process.
    private static final List<Time> TIMES = List.of(
            new Time("--interval", "Interval"),
            new Time("--timeout", "Timeout"),
            new Time("--start-period", "StartPeriod"),
            new Time("--start-interval", "StartInterval"));
    private static final String RETRIES = "--retries";
    private static final Pattern DURATION = Pattern.compile("(?:[0-9]+(?:\\.[0-9]+)?(?:ns|us|µs|ms|s|m|h))+|0");
    private static final Pattern PART = Pattern.compile("([0-9]+(?:\\.[0-9]+)?)(ns|us|µs|ms|s|m|h)");
    private static final long SHORTEST = 1_000_000;

    private HealthcheckJson() {}

    static Map<String, Object> read(Statement statement, WordReader words) {
        var flags = Flags.take(
                statement,
                "HEALTHCHECK",
                words,
                Set.of("--interval", "--timeout", "--start-period", "--start-interval", RETRIES),
                Set.of());
        var json = new LinkedHashMap<String, Object>();
        switch (words.next().orElse("").toUpperCase(Locale.ROOT)) {
            case "NONE" -> {
                if (!words.rest().isEmpty()) {
                    throw statement.refuse("HEALTHCHECK NONE stands alone");
                }
                json.put("Test", List.of("NONE"));
                return json;
            }
            case "CMD" -> json.put("Test", test(Instructions.command(statement, "HEALTHCHECK CMD", words)));
            default ->
                throw statement.refuse("HEALTHCHECK is written HEALTHCHECK [flags] CMD command, or HEALTHCHECK NONE");
        }
        TIMES.forEach(time -> flags.value(time.flag()).ifPresent(text -> {
            var nanos = nanos(statement, time.flag(), text);
            if (nanos > 0) {
                json.put(time.key(), nanos);
            }
        }));
        flags.value(RETRIES).ifPresent(text -> {
            if (!text.matches("[0-9]{1,6}")) {
                throw statement.refuse("--retries is a whole number: --retries=3");
            }
            if (Long.parseLong(text) > 0) {
                json.put("Retries", Long.parseLong(text));
            }
        });
        return json;
    }

    private static List<String> test(Instruction.Command command) {
        var test = new ArrayList<String>();
        test.add(command.shell() ? "CMD-SHELL" : "CMD");
        test.addAll(command.words());
        return test;
    }

    private static long nanos(Statement statement, String flag, String text) {
        if (!DURATION.matcher(text).matches()) {
            throw statement.refuse(flag + " is a duration such as 30s, 1m30s or 500ms, not \"" + text + "\"");
        }
        var nanos = 0.0;
        var parts = PART.matcher(text);
        while (parts.find()) {
            nanos += Double.parseDouble(parts.group(1)) * unit(parts.group(2));
        }
        if (nanos >= Long.MAX_VALUE || (nanos > 0 && nanos < SHORTEST)) {
            throw statement.refuse(flag + " is at least 1ms and below 292 years");
        }
        return (long) nanos;
    }

    private static double unit(String name) {
        return switch (name) {
            case "ns" -> 1;
            case "us", "µs" -> 1e3;
            case "ms" -> 1e6;
            case "s" -> 1e9;
            case "m" -> 60e9;
            default -> 3600e9;
        };
    }

    private record Time(String flag, String key) {}
}
