package dev.bobbin.ops.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

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
}
