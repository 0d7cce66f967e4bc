package dev.bobbin.image.store;

import dev.bobbin.image.Digest;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/// Who is busy with what: one at a time for each digest.
final class Claims {
    private final Map<Digest, Claim> held = new ConcurrentHashMap<>();

    /// Claims it, unless somebody has.
    @Nullable
    Claim take(Digest digest) {
        var mine = new Claim(digest);
        return held.putIfAbsent(digest, mine) == null ? mine : null;
    }

    /// Claims it, after everybody else who has.
    Claim await(Digest digest) throws InterruptedException {
        var mine = new Claim(digest);
        for (var other = held.putIfAbsent(digest, mine); other != null; other = held.putIfAbsent(digest, mine)) {
            try {
                other.done.get();
            } catch (ExecutionException e) {
                throw new IllegalStateException("a claim ends well or not at all", e);
            }
        }
        return mine;
    }

    final class Claim implements AutoCloseable {
        private final Digest digest;
        private final CompletableFuture<Void> done = new CompletableFuture<>();

        private Claim(Digest digest) {
            this.digest = digest;
        }

        @Override
        public void close() {
            held.remove(digest, this);
            done.complete(null);
        }
    }
}
