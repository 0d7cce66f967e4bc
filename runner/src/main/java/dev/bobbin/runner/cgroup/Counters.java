package dev.bobbin.runner.cgroup;

import java.util.Map;

/// The texts of some of a cgroup's files, by their names, and the numbers in them. What is not there is -1.
record Counters(Map<String, String> files) {
    Counters {
        files = Map.copyOf(files);
    }

    /// Of a file that is one number.
    long number(String file) {
        return parse(files.getOrDefault(file, "").trim());
    }

    /// Of a file with lines `KEY NUMBER`.
    long keyed(String file, String key) {
        var text = files.getOrDefault(file, "");
        for (var start = 0; start < text.length(); ) {
            var end = text.indexOf('\n', start);
            var line = end < 0 ? text.length() : end;
            var value = start + key.length();
            if (value < line && text.charAt(value) == ' ' && text.startsWith(key, start)) {
                return parse(text.substring(value + 1, line).trim());
            }
            start = line + 1;
        }
        return -1;
    }

    /// Nanoseconds as microseconds; -1 stays.
    static long micros(long nanos) {
        return nanos < 0 ? -1 : nanos / 1000;
    }

    private static long parse(String text) {
        if (text.isEmpty()) {
            return -1;
        }
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException _) {
            return -1;
        }
    }
}
