package dev.bobbin.scheduler.http.minibox;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// Work that is done anew whenever somebody asks, for each of many places that may let it wait long: on a thread of the
/// place's own, one at a time, and once for all who ask meanwhile. Safe for many threads.
final class Rewrites<K> {
    /// By place: what is told when the work that was asked for last is done.
    private final Map<K, Asked> asked = new HashMap<>();

    private static final class Asked {
        private boolean isOpen = true;
        private CompletableFuture<Void> done = new CompletableFuture<>();
    }

    /// Lets `work` be done, which is always the same for a place, and begins after this call.
    ///
    /// @return told when it is over, even if it failed
    synchronized CompletableFuture<Void> ask(K place, Runnable work) {
        var known = asked.get(place);
        if (known != null) {
            known.isOpen = true;
            return known.done;
        }
        var first = new Asked();
        asked.put(place, first);
        Thread.ofVirtual().name("rewrite-" + place).start(() -> {
            for (var done = next(place, first); done != null; done = next(place, first)) {
                try {
                    work.run();
                } finally {
                    done.complete(null);
                }
            }
        });
        return first.done;
    }

    /// Who is to be told of the work that begins now; nobody if no more was asked for.
    private synchronized @Nullable CompletableFuture<Void> next(K place, Asked order) {
        if (!order.isOpen) {
            asked.remove(place);
            return null;
        }
        order.isOpen = false;
        var done = order.done;
        order.done = new CompletableFuture<>();
        return done;
    }
}
