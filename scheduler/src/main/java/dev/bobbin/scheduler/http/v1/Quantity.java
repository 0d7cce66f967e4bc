package dev.bobbin.scheduler.http.v1;

import dev.bobbin.scheduler.http.exchange.JsonInput;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// Sizes and durations as people write them: `"256MiB"`, `"250ms"`, or plain numbers of bytes and seconds.
final class Quantity {
    private static final Pattern WRITTEN = Pattern.compile("([0-9]{1,18}(?:\\.[0-9]{1,9})?)\\s?([A-Za-z]*)");

    private static final Map<String, Long> BYTES = Map.of(
            "", 1L,
            "B", 1L,
            "KiB", 1L << 10,
            "MiB", 1L << 20,
            "GiB", 1L << 30,
            "TiB", 1L << 40,
            "kB", 1_000L,
            "MB", 1_000_000L,
            "GB", 1_000_000_000L,
            "TB", 1_000_000_000_000L);

    private static final Map<String, Long> NANOS = Map.of(
            "", 1_000_000_000L,
            "us", 1_000L,
            "ms", 1_000_000L,
            "s", 1_000_000_000L,
            "m", 60_000_000_000L,
            "h", 3_600_000_000_000L,
            "d", 86_400_000_000_000L);

    private Quantity() {}

    static long bytes(JsonInput value) throws IOException {
        return bytes(written(value)).orElseThrow(() -> value.wrong("must be bytes or a size such as \"256MiB\""));
    }

    static Duration duration(JsonInput value) throws IOException {
        return duration(written(value))
                .orElseThrow(() -> value.wrong("must be seconds or a duration such as \"250ms\", \"30s\" or \"5m\""));
    }

    static Optional<Long> bytes(String text) {
        return whole(text, BYTES);
    }

    static Optional<Duration> duration(String text) {
        return whole(text, NANOS).map(Duration::ofNanos);
    }

    private static String written(JsonInput value) throws IOException {
        return value.isNumber() ? value.number() : value.string();
    }

    private static Optional<Long> whole(String text, Map<String, Long> units) {
        var parts = WRITTEN.matcher(text);
        if (!parts.matches()) {
            return Optional.empty();
        }
        var unit = units.get(parts.group(2));
        if (unit == null) {
            return Optional.empty();
        }
        var product = new BigDecimal(parts.group(1)).multiply(BigDecimal.valueOf(unit));
        if (product.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
            return Optional.empty();
        }
        return Optional.of(product.setScale(0, RoundingMode.DOWN).longValueExact());
    }
}
