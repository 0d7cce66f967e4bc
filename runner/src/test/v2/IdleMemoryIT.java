package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// What sandboxes in which nothing runs take of a machine, on one that has had no others: a kernel gives a memory cgroup
/// room for as many file systems as there ever were at once, and takes none of it back.
class IdleMemoryIT {
    private static final int MANY = 1000;
    private static final int FIRST = 20;
    private static final Duration CALM = Duration.ofSeconds(5);

    @Test
    void saysWhatAnIdleSandboxTakes() throws Exception {
        try (var host = TestHost.open(0)) {
            for (var i = 0; i < FIRST; i++) {
                host.place().create();
            }
            var before = memory();
            for (var i = 0; i < MANY; i++) {
                host.place().create();
            }
            var after = memory();
            var said = new StringBuilder("SAID idle sandbox, " + MANY + " at once, KiB each:");
            before.forEach((name, kib) -> said.append(
                    String.format(Locale.ROOT, " %s %.1f", name, (after.get(name) - kib) / (double) MANY)));
            System.out.println(said);
            assertThat(before.get("free") - after.get("free")).isPositive();
        }
    }

    /// Kibibytes; `free` counts what nobody uses, this process's own memory as if it were free.
    private static Map<String, Long> memory() throws Exception {
        System.gc();
        Thread.sleep(CALM);
        new ProcessBuilder("sync").start().waitFor();
        Files.writeString(Path.of("/proc/sys/vm/drop_caches"), "1");
        Thread.sleep(CALM);
        var all = new HashMap<String, Long>();
        for (var file : new String[] {"/proc/meminfo", "/proc/self/status"}) {
            for (var line : Files.readAllLines(Path.of(file))) {
                var words = line.split("[: \t]+", -1);
                if (line.endsWith(" kB")) {
                    all.put(words[0], Long.parseLong(words[1]));
                }
            }
        }
        var memory = new HashMap<String, Long>();
        for (var name : new String[] {"Slab", "KernelStack", "PageTables", "Percpu"}) {
            memory.put(name, all.getOrDefault(name, 0L));
        }
        memory.put("JVM", all.getOrDefault("VmRSS", 0L));
        memory.put("free", all.getOrDefault("MemFree", 0L) + all.getOrDefault("VmRSS", 0L));
        return memory;
    }
}
