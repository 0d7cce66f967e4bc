package dev.bobbin.runner.build;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;

/// Paths with one character a byte, as file systems have them.
final class Names {
    private Names() {}

    /// Of what a recipe says.
    static String raw(String text) {
        return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    }

    /// For a person.
    static String shown(String raw) {
        return new String(raw.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    }

    static String join(String directory, String name) {
        return directory.isEmpty() ? name : name.isEmpty() ? directory : directory + "/" + name;
    }

    static String parent(String path) {
        var slash = path.lastIndexOf('/');
        return slash < 0 ? "" : path.substring(0, slash);
    }

    static String last(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    /// Without what says nothing, beneath a root that `..` does not leave.
    static String plain(String path) {
        var done = new ArrayDeque<String>();
        for (var part : Links.parts(path)) {
            if (part.equals("..")) {
                done.pollLast();
            } else {
                done.add(part);
            }
        }
        return String.join("/", done);
    }
}
