package dev.bobbin.ops.config;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Pattern;

/// Reads sizes and durations as people write them: bytes or `256MiB`; seconds or `250ms`, `30s`, `5m`, `1h`, `2d`.
public final class Quantities {
    private static final Pattern QUANTITY = Pattern.compile("([0-9]{1,18}(?:\\.[0-9]{1,9})?) ?([A-Za-z]*)");
    private static final Map<String, Long> SIZES = Map.of(
            "",
            1L,
            "B",
            1L,
            "KiB",
            1L << 10,
            "MiB",
            1L << 20,
            "GiB",
            1L << 30,
            "TiB",
            1L << 40,
            "KB",
            1_000L,
            "MB",
            1_000_000L,
            "GB",
            1_000_000_000L);
    private static final Map<String, Long> NANOS = Map.of(
            "",
            1_000_000_000L,
            "ms",
            1_000_000L,
            "s",
            1_000_000_000L,
            "m",
            60_000_000_000L,
            "h",
            3_600_000_000_000L,
            "d",
            86_400_000_000_000L);

    private Quantities() {}

    public static long bytes(String text) {
        return scaled(text, SIZES, "a size such as 1048576, 256MiB or 2GiB");
    }

    public static Duration duration(String text) {
        return Duration.ofNanos(scaled(text, NANOS, "a duration such as 10, 250ms, 30s, 5m or 1h"));
    }

    private static long scaled(String text, Map<String, Long> units, String expected) {
        var matcher = QUANTITY.matcher(text.strip());
        var unit = matcher.matches() ? units.get(matcher.group(2)) : null;
        if (unit == null) {
            throw new IllegalArgumentException("must be " + expected + ", not \"" + text + "\"");
        }
        try {
            return new BigDecimal(matcher.group(1))
                    .multiply(BigDecimal.valueOf(unit))
                    .toBigInteger()
                    .longValueExact();
        } catch (ArithmeticException _) {
            throw new IllegalArgumentException("is too large: \"" + text + "\"");
        }
    }
}
