package dev.bobbin.ops.preflight;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.regex.Pattern;

/// What `bobbin-facts` printed somewhere, by what it is about. Lines of no known kind are passed over.
public final class Facts {
    private final SequencedMap<String, String> links = new LinkedHashMap<>();
    private final Map<String, List<String>> texts = new LinkedHashMap<>();
    private final SequencedMap<String, Place> places = new LinkedHashMap<>();
    private final SequencedMap<String, String> devices = new LinkedHashMap<>();
    private final SequencedMap<String, String> attempts = new LinkedHashMap<>();

    /// A file as it is seen.
    ///
    /// @param kind `file`, `directory`, `absent`, `character:1:3` and the like
    /// @param reading `data`, `empty` or the kernel's word
    /// @param writing `open` or the kernel's word
    record Place(String kind, String reading, String writing) {
        boolean absent() {
            return kind.equals("absent");
        }

        /// Nothing of the machine is read there.
        boolean hidden() {
            return absent()
                    || kind.equals("character:1:3")
                    || (kind.equals("directory") && reading.equals("empty"))
                    || isRefusal(reading);
        }

        boolean writable() {
            return writing.equals("open") && !kind.equals("character:1:3");
        }

        private static boolean isRefusal(String word) {
            return word.equals("EACCES") || word.equals("EPERM");
        }
    }

    private Facts() {}

    /// Reads the lines of one run.
    ///
    /// @throws IllegalArgumentException if these are not all of them
    public static Facts of(List<String> lines) {
        var facts = new Facts();
        if (!lines.contains("done")) {
            throw new IllegalArgumentException("these are not all the lines of a run of bobbin-facts");
        }
        for (var line : lines) {
            var words = line.split(" ", 3);
            if (words.length < 3) {
                continue;
            }
            switch (words[0]) {
                case "link" -> facts.links.put(words[1], words[2]);
                case "text" ->
                    facts.texts
                            .computeIfAbsent(words[1], _ -> new ArrayList<>())
                            .add(words[2]);
                case "device" -> facts.devices.put(words[1], words[2]);
                case "try" -> facts.attempts.put(words[1], words[2]);
                case "path" -> facts.place(words[1], words[2].split(" ", -1));
                default -> {} // of a later program
            }
        }
        return facts;
    }

    private void place(String path, String[] words) {
        if (words.length == 3) {
            places.put(path, new Place(words[0], words[1], words[2]));
        }
    }

    /// Links whose path begins so, by the rest of it.
    SequencedMap<String, String> links(String directory) {
        var found = new LinkedHashMap<String, String>();
        links.forEach((path, target) -> {
            if (path.startsWith(directory)) {
                found.put(path.substring(directory.length()), target);
            }
        });
        return found;
    }

    Optional<String> link(String path) {
        return Optional.ofNullable(links.get(path));
    }

    List<String> text(String path) {
        return List.copyOf(texts.getOrDefault(path, List.of()));
    }

    /// A field of `/proc/self/status`; empty if it is not there.
    String status(String field) {
        return text("/proc/self/status").stream()
                .filter(line -> line.startsWith(field + ":"))
                .map(line -> line.substring(field.length() + 1).strip())
                .findFirst()
                .orElse("");
    }

    /// What was seen at a path; as absent if nobody looked.
    Place place(String path) {
        return places.getOrDefault(path, new Place("absent", "ENOENT", "ENOENT"));
    }

    /// Paths that were looked at and are called so.
    List<String> places(Pattern name) {
        return places.keySet().stream().filter(name.asMatchPredicate()).toList();
    }

    SequencedMap<String, String> devices() {
        return devices;
    }

    /// How an attempt ended, if it was made.
    Optional<String> attempt(String name) {
        return Optional.ofNullable(attempts.get(name));
    }

    boolean triedAnything() {
        return !attempts.isEmpty();
    }
}
