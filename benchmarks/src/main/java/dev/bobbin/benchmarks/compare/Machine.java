package dev.bobbin.benchmarks.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// What is said of the machine beside results: nothing that names it.
public final class Machine {
    private Machine() {}

    static int cpus() {
        return Runtime.getRuntime().availableProcessors();
    }

    public static String describe() throws IOException {
        var model = field("/proc/cpuinfo", "model name");
        var memory = Long.parseLong(field("/proc/meminfo", "MemTotal").replaceAll("\\D", "")) / 1024 / 1024;
        var kernel = System.getProperty("os.version").replaceAll("^(\\d+\\.\\d+).*", "$1");
        var unified = Files.exists(Path.of("/sys/fs/cgroup/cgroup.controllers"));
        var hybrid = Files.exists(Path.of("/sys/fs/cgroup/unified"));
        return "%d x %s, %d GiB, Linux %s %s, cgroup %s, JDK %s"
                .formatted(
                        cpus(),
                        model.isEmpty() ? "unknown processor" : model,
                        memory,
                        kernel,
                        System.getProperty("os.arch"),
                        unified ? "v2" : hybrid ? "v1 hybrid" : "v1",
                        System.getProperty("java.version"));
    }

    /// The load average of the last minute.
    public static double load() throws IOException {
        return Double.parseDouble(Files.readString(Path.of("/proc/loadavg")).split(" ", 2)[0]);
    }

    private static String field(String file, String name) throws IOException {
        try (var lines = Files.lines(Path.of(file))) {
            return lines.filter(line -> line.startsWith(name))
                    .findFirst()
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .orElse("");
        }
    }
}
