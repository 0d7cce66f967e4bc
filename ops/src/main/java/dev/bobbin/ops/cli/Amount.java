package dev.bobbin.ops.cli;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Sizes as people read them.
final class Amount {
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};

    private Amount() {}

    static String of(@Nullable Object bytes) {
        var amount = bytes instanceof Number number ? number.doubleValue() : 0;
        var unit = 0;
        while (amount >= 1024 && unit < UNITS.length - 1) {
            amount /= 1024;
            unit++;
        }
        return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", amount, UNITS[unit]);
    }
}
