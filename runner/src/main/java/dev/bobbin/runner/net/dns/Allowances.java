package dev.bobbin.runner.net.dns;

import java.net.Inet4Address;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/// Keeps one sandbox from asking so much that others, or the servers that are asked, feel it.
final class Allowances {
    static final int PER_SECOND = 500;
    static final int BURST = 1000;
    static final int AT_ONCE_EACH = 64;
    static final int AT_ONCE = 1024;
    /// What each has however many others ask.
    static final int AT_ONCE_ALWAYS = 4;

    private static final int SWEEP = 4096;

    private final Map<Inet4Address, Allowance> all = new HashMap<>();
    private int atOnce;

    /// What one may still ask.
    private static final class Allowance {
        private double tokens = BURST;
        private long filled = System.nanoTime();
        private int atOnce;

        void fill(long now) {
            var seconds = (double) (now - filled) / Duration.ofSeconds(1).toNanos();
            tokens = Math.min(BURST, tokens + seconds * PER_SECOND);
            filled = now;
        }
    }

    /// How a question is met.
    enum Turn {
        /// It is answered, and [Allowances#done] is called then.
        TAKEN,
        /// Too many others are being answered: say so.
        BUSY,
        /// There were so many that even saying so is too much.
        SPENT
    }

    synchronized Turn take(Inet4Address asker) {
        var now = System.nanoTime();
        if (all.size() >= SWEEP) {
            all.values().removeIf(each -> {
                each.fill(now);
                return each.atOnce == 0 && each.tokens >= BURST;
            });
        }
        var allowance = all.computeIfAbsent(asker, _ -> new Allowance());
        allowance.fill(now);
        if (allowance.tokens < 1) {
            return Turn.SPENT;
        }
        allowance.tokens--;
        if (allowance.atOnce >= (atOnce < AT_ONCE ? AT_ONCE_EACH : AT_ONCE_ALWAYS)) {
            return Turn.BUSY;
        }
        allowance.atOnce++;
        atOnce++;
        return Turn.TAKEN;
    }

    synchronized void done(Inet4Address asker) {
        var allowance = all.get(asker);
        if (allowance != null) {
            allowance.atOnce--;
        }
        atOnce--;
    }
}
