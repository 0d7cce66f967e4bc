package dev.bobbin.image.archive;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Names of files, one character a byte.
final class Names {
    private static final int LONGEST_SHOWN = 200;

    private Names() {}

    static String of(byte[] bytes, int from, int length) {
        return new String(bytes, from, length, StandardCharsets.ISO_8859_1);
    }

    /// The components of a path; empty ones and `.` are left out, so `/a//./b` and `a/b` are the same.
    static List<String> components(String path) {
        var components = new ArrayList<String>();
        for (var from = 0; from < path.length(); ) {
            var slash = path.indexOf('/', from);
            var to = slash < 0 ? path.length() : slash;
            var component = path.substring(from, to);
            if (!component.isEmpty() && !component.equals(".")) {
                components.add(component);
            }
            from = to + 1;
        }
        return components;
    }

    static String parent(String path) {
        var slash = path.lastIndexOf('/');
        return slash < 0 ? "" : path.substring(0, slash);
    }

    static String last(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    static String child(String parent, String name) {
        return parent.isEmpty() ? name : parent + "/" + name;
    }

    /// A name fit for a message: text where it is text, no control characters, not too long.
    static String shown(String name) {
        var text = new String(name.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
        var kept = text.length() > LONGEST_SHOWN ? text.substring(0, LONGEST_SHOWN) + "…" : text;
        return kept.replaceAll("\\p{Cntrl}", "?");
    }
}
