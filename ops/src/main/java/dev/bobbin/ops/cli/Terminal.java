package dev.bobbin.ops.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;

/// What our standard streams are connected to.
enum Terminal {
    IN(0),
    OUT(1),
    ERR(2);

    private final int fd;

    Terminal(int fd) {
        this.fd = fd;
    }

    /// Whether a person sits there.
    boolean isThere() {
        try {
            var target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd)).toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        } catch (IOException _) {
            return false;
        }
    }

    /// A text of somebody else's as it can be written here: for a person without what would steer the terminal.
    String fit(String text) {
        return isThere() ? text.lines().map(Cells::plain).collect(Collectors.joining("\n")) : text;
    }
}
