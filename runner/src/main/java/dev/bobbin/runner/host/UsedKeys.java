package dev.bobbin.runner.host;

import dev.bobbin.runner.RequestKey;
import dev.bobbin.runner.RequestKey.Use;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/// What was begun under which key in the last 24 hours; with very many of
/// them, the latest of those tenants that have most. Safe for many threads.
final class UsedKeys implements AutoCloseable {
    /* The record of a use is what it began: a job's journal, a sandbox's record. So it exists from the instant at which
     * that does, and nothing is written for it. Only when those are removed before the key has passed is it written to a
     * file of its own. */

    private static final System.Logger LOG = System.getLogger(UsedKeys.class.getName());
    /// Some 30 MB.
    private static final int MOST = 100_000;

    private final int most;
    private final KeyFile file;
    /// By name of the key.
    private final Map<String, Use> uses = new HashMap<>();
    /// The same of each tenant, in the order in which they were noted.
    private final Map<String, SequencedMap<String, Use>> byTenant = new HashMap<>();

    /// Those that `path` holds, and will hold.
    UsedKeys(Path path) throws IOException {
        this(path, MOST);
    }

    UsedKeys(Path path, int most) throws IOException {
        this.most = most;
        KeyFile.read(path).forEach(this::note);
        this.file = new KeyFile(path, most, uses.values());
    }

    /// Notes what was begun.
    synchronized void add(Use use) {
        note(use);
    }

    private void note(Use use) {
        var known = uses.get(use.key().name());
        if (hasPassed(use) || (known != null && known.at().isAfter(use.at()))) {
            return;
        }
        if (known != null) {
            forget(known);
        }
        uses.put(use.key().name(), use);
        byTenant.computeIfAbsent(use.tenant(), _ -> new LinkedHashMap<>())
                .put(use.key().name(), use);
        forgetPassed(use.tenant());
        if (uses.size() > most) {
            List.copyOf(byTenant.keySet()).forEach(this::forgetPassed);
        }
        while (uses.size() > most) {
            forget(Collections.max(byTenant.values(), Comparator.comparingInt(Map::size))
                    .firstEntry()
                    .getValue());
        }
    }

    private void forgetPassed(String tenant) {
        for (var all = byTenant.get(tenant); all != null; all = byTenant.get(tenant)) {
            var first = all.firstEntry().getValue();
            if (!hasPassed(first)) {
                return;
            }
            forget(first);
        }
    }

    private void forget(Use use) {
        var all = byTenant.get(use.tenant());
        if (uses.remove(use.key().name(), use) && all != null) {
            all.remove(use.key().name());
            if (all.isEmpty()) {
                byTenant.remove(use.tenant());
            }
        }
    }

    /// It was not begun after all.
    synchronized void remove(Use use) {
        forget(use);
    }

    /// What was begun under the word of this key.
    synchronized Optional<Use> find(RequestKey key) {
        return Optional.ofNullable(uses.get(key.name())).filter(use -> !hasPassed(use));
    }

    /// What was begun is about to be removed, and the key remains.
    synchronized void outlives(Use use) {
        if (!use.equals(uses.get(use.key().name())) || hasPassed(use)) {
            return;
        }
        try {
            file.append(use, uses::values);
        } catch (IOException e) {
            LOG.log(Level.WARNING, "a key is forgotten at the next start: " + e.getMessage());
        }
    }

    private static boolean hasPassed(Use use) {
        return use.at().plus(RequestKey.KEPT).isBefore(Instant.now());
    }

    @Override
    public synchronized void close() {
        file.close();
    }
}
