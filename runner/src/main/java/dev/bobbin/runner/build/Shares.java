package dev.bobbin.runner.build;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// Who has how much of something that has bounds, in the order in which it was of use; and what goes first where it is
/// too much: what whoever has most used longest ago. So nobody loses anything while another has more. Not safe for
/// several threads.
final class Shares {
    private final Map<String, Share> owners = new TreeMap<>();
    private long bytes;
    private int count;

    private static final class Share {
        /// What was of use longest ago comes first.
        private final LinkedHashMap<String, Long> names = new LinkedHashMap<>(16, 0.75f, true);
        private long bytes;
    }

    long bytes() {
        return bytes;
    }

    int count() {
        return count;
    }

    /// Something of an owner's is there, and was of use just now.
    void put(String owner, String name, long size) {
        remove(owner, name);
        var share = owners.computeIfAbsent(owner, _ -> new Share());
        share.names.put(name, size);
        share.bytes += size;
        bytes += size;
        count++;
    }

    /// It was of use just now.
    void used(String owner, String name) {
        var share = owners.get(owner);
        if (share != null) {
            share.names.get(name);
        }
    }

    /// It is there no more.
    void remove(String owner, String name) {
        var share = owners.get(owner);
        var size = share == null ? null : share.names.remove(name);
        if (share == null || size == null) {
            return;
        }
        share.bytes -= size;
        bytes -= size;
        count--;
        if (share.names.isEmpty()) {
            owners.remove(owner);
        }
    }

    /// What goes next if there is more than may be; nothing if there is not.
    ///
    /// @param held names that cannot go; if whoever has most has nothing else, nothing goes
    Optional<String> surplus(long mostBytes, int mostCount, Set<String> held) {
        var next = bytes > mostBytes
                ? first(held, Comparator.comparingLong(share -> share.bytes))
                : Optional.<String>empty();
        return next.isPresent() || count <= mostCount
                ? next
                : first(held, Comparator.comparingInt(share -> share.names.size()));
    }

    private Optional<String> first(Set<String> held, Comparator<Share> size) {
        return owners.values().stream()
                .max(size)
                .flatMap(most -> owners.values().stream()
                        .filter(share -> size.compare(share, most) == 0)
                        .flatMap(share -> share.names.keySet().stream())
                        .filter(name -> !held.contains(name))
                        .findFirst());
    }
}
