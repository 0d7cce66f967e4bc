package dev.bobbin.runner.host;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/// How much this machine has.
final class Machine {
    private static final long TOTAL =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();

    private static final String OPEN_FILES = "Max open files";

    private Machine() {}

    /// Memory, or what our container lets us use of it.
    static long memoryBytes() {
        return TOTAL;
    }

    /// Processes and threads that can be at once.
    static int pids() {
        return Math.min(number("/proc/sys/kernel/pid_max"), number("/proc/sys/kernel/threads-max"));
    }

    /// Files that a process can have open, which a job cannot raise.
    static int openFiles() {
        try {
            for (var line : Files.readAllLines(Path.of("/proc/self/limits"))) {
                if (line.startsWith(OPEN_FILES)) {
                    var most = line.substring(OPEN_FILES.length()).strip().split(" +", -1)[1];
                    return most.equals("unlimited") ? Integer.MAX_VALUE : Integer.parseInt(most);
                }
            }
            return Integer.MAX_VALUE;
        } catch (IOException e) {
            throw new UncheckedIOException("read this process's limits", e);
        }
    }

    /// Read in one piece: the kernel gives the rest of such a number to nobody who took only its first digit.
    private static int number(String file) {
        try {
            return (int) Math.min(
                    Integer.MAX_VALUE,
                    Long.parseLong(Files.readAllLines(Path.of(file)).getFirst()));
        } catch (IOException e) {
            throw new UncheckedIOException("read " + file, e);
        }
    }
}
