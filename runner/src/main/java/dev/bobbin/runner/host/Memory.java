package dev.bobbin.runner.host;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/// How much memory this machine has, or its container lets us use.
final class Memory {
    private static final long TOTAL =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();

    private Memory() {}

    static long totalBytes() {
        return TOTAL;
    }
}
