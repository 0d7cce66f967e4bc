package dev.bobbin.image.registry;

import dev.bobbin.image.registry.RegistryConfig.Patience;
import dev.bobbin.image.registry.wire.Response;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/// Attempts at one thing, with growing, jittered pauses between them, so that many who failed together do not come back
/// together.
final class Retry {
    private final Patience patience;
    private final CountDownLatch closed;
    private final long end;
    private int attempts;

    /// @param closed ends every pause when it opens
    /// @param within no pause reaches beyond this time from now
    Retry(Patience patience, CountDownLatch closed, Duration within) {
        this.patience = patience;
        this.closed = closed;
        this.end = System.nanoTime() + within.toNanos();
    }

    /// One attempt, and no other.
    Retry single() {
        var once = new Patience(
                patience.answer(),
                patience.remembered(),
                patience.stall(),
                1,
                patience.pause(),
                patience.longestPause());
        return new Retry(once, closed, left());
    }

    /// Something was gained: the count begins anew.
    void progressed() {
        attempts = 0;
    }

    /// What is left of the time.
    Duration left() {
        return Duration.ofNanos(Math.max(1_000_000, end - System.nanoTime()));
    }

    /// Pauses before the next attempt.
    ///
    /// @param asked how long the server wants to be left alone
    /// @return false if there is to be no other attempt
    boolean again(Optional<Duration> asked) {
        if (++attempts >= patience.attempts()) {
            return false;
        }
        var wait = asked.map(Duration::toNanos).orElseGet(this::growing);
        var jittered = wait + ThreadLocalRandom.current().nextLong(wait / 4 + 1);
        if (wait > patience.longestPause().toNanos() || System.nanoTime() + jittered - end > 0) {
            return false;
        }
        try {
            return !closed.await(jittered, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private long growing() {
        var first = patience.pause().toNanos();
        var most = Math.min(patience.longestPause().toNanos(), first << Math.min(20, attempts - 1));
        return most / 2 + ThreadLocalRandom.current().nextLong(most / 2 + 1);
    }

    /// What `Retry-After` says, in seconds or as a date.
    static Optional<Duration> asked(Response response) {
        return response.headers().first("Retry-After").flatMap(Retry::parse);
    }

    private static Optional<Duration> parse(String text) {
        if (text.matches("[0-9]{1,9}")) {
            return Optional.of(Duration.ofSeconds(Long.parseLong(text)));
        }
        try {
            var at = ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME);
            var wait = Duration.between(ZonedDateTime.now(at.getZone()), at);
            return Optional.of(wait.isNegative() ? Duration.ZERO : wait);
        } catch (DateTimeParseException e) {
            return Optional.empty();
        }
    }
}
