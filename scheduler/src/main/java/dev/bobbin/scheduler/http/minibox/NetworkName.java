package dev.bobbin.scheduler.http.minibox;

import java.util.regex.Pattern;

/// A name as networks can have it: most are that already, others get one that nothing else gets.
final class NetworkName {
    private static final Pattern LABEL = Pattern.compile("[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?");
    private static final int LONGEST_REST = 48;

    private NetworkName() {}

    static String of(String name) {
        if (LABEL.matcher(name).matches()) {
            return name;
        }
        var plain = name.replaceAll("[^A-Za-z0-9_-]", "-").replaceAll("^[-_]+", "");
        var rest = plain.substring(0, Math.min(plain.length(), LONGEST_REST));
        return (rest.isEmpty() ? "x" : rest) + "-" + String.format("%08x", name.hashCode());
    }
}
