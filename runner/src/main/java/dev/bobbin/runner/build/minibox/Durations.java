package dev.bobbin.runner.build.minibox;

import java.time.Duration;

/// Durations as the original prints them: `12ms`, `1.5s`, `2m3s`.
final class Durations {
    private static final int TENTH_MILLIS = 100;

    private Durations() {}

    static String text(Duration duration) {
        if (duration.toSeconds() >= 60) {
            return duration.toMinutes() + "m" + duration.toSecondsPart() + "s";
        }
        if (duration.toMillis() < 1000) {
            return duration.toMillis() + "ms";
        }
        var tenths = duration.toMillisPart() / TENTH_MILLIS;
        return duration.toSeconds() + (tenths == 0 ? "" : "." + tenths) + "s";
    }
}
