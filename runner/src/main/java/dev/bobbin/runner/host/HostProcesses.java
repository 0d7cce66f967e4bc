package dev.bobbin.runner.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/// Processes as this machine numbers them.
final class HostProcesses {
    private HostProcesses() {}

    /// The child of a PID 1 that it made first and that still lives: its sandbox's own process. What others left behind
    /// came later.
    static OptionalLong firstChild(int pidOne) {
        try {
            var children = Files.readString(Path.of("/proc/" + pidOne + "/task/" + pidOne + "/children"))
                    .strip();
            var first = OptionalLong.empty();
            var lowest = Long.MAX_VALUE;
            for (var child : children.isEmpty() ? new String[0] : children.split(" ", -1)) {
                var inside = numberInside(child);
                if (inside < lowest) {
                    lowest = inside;
                    first = OptionalLong.of(Long.parseLong(child));
                }
            }
            return first;
        } catch (IOException _) {
            // it ended at this moment
            return OptionalLong.empty();
        }
    }

    /// How a process is numbered in the innermost of its namespaces.
    private static long numberInside(String pid) throws IOException {
        for (var line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
            if (line.startsWith("NSpid:")) {
                return Long.parseLong(line.substring(line.lastIndexOf('\t') + 1));
            }
        }
        return Long.MAX_VALUE;
    }
}
