package dev.bobbin.runner;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;

/// Nanosecond stamps of the phases of one start, all of this machine's monotonic clock ([System#nanoTime], which on
/// Linux is CLOCK_MONOTONIC and so the init's clock too). Read by answers, Micrometer and JMH alike. Safe for many
/// threads: each phase is stamped once.
public final class StartTimeline {

    /// What is finished at the stamp; the times are read as "since accepted".
    public enum Phase {
        ADMIT,
        PLACE,
        IMAGE,
        SANDBOX,
        EXEC,
        FIRST_BYTE,
        END;

        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// Whether a prepared sandbox was waiting, or one that lasts was entered.
    public enum Path {
        PARKED,
        COLD,
        ENTERED,
        REMOTE;

        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final long acceptedNanos;
    private final Map<Phase, Long> stamps = new EnumMap<>(Phase.class);
    private volatile Path path = Path.COLD;

    private StartTimeline(long acceptedNanos) {
        this.acceptedNanos = acceptedNanos;
    }

    /// A timeline of a job accepted now.
    public static StartTimeline begin() {
        return new StartTimeline(System.nanoTime());
    }

    /// A timeline of a job accepted when the monotonic clock showed `nanos`.
    public static StartTimeline beganAt(long nanos) {
        return new StartTimeline(nanos);
    }

    public void stamp(Phase phase) {
        stamp(phase, System.nanoTime());
    }

    /// Notes that `phase` was finished when the monotonic clock showed `nanos`, unless it is noted already.
    public synchronized void stamp(Phase phase, long nanos) {
        stamps.putIfAbsent(phase, nanos);
    }

    /// Microseconds from acceptance to the end of `phase`, or nothing if it was not reached.
    public synchronized OptionalLong micros(Phase phase) {
        var stamp = stamps.get(phase);
        return stamp == null ? OptionalLong.empty() : OptionalLong.of(Math.max(0, stamp - acceptedNanos) / 1000);
    }

    public long acceptedNanos() {
        return acceptedNanos;
    }

    public Path path() {
        return path;
    }

    public void path(Path taken) {
        path = taken;
    }
}
