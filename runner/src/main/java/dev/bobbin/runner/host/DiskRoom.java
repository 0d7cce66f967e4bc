package dev.bobbin.runner.host;

import dev.bobbin.runner.FilesException;
import dev.bobbin.runner.kernel.ProjectQuota.Use;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;
import java.util.function.Supplier;

/// How much more a sandbox's disk may take of one caller. Where the kernel does not keep that limit, and so does not
/// count, what is there is counted here, once, when that may matter.
final class DiskRoom {
    /// So much is taken without counting.
    private static final long SMALL = 1024 * 1024;

    private final Path upper;
    private final long limit;
    private final Supplier<Optional<Use>> counted;
    private long room = -1;
    private long taken;

    /// @param counted what the kernel says is there
    DiskRoom(Path upper, long limit, Supplier<Optional<Use>> counted) {
        this.upper = upper;
        this.limit = limit;
        this.counted = counted;
    }

    /// @throws FilesException if `bytes` more do not fit
    void take(long bytes) throws IOException {
        taken += bytes;
        if (taken > Math.min(SMALL, limit)) {
            if (room < 0) {
                room = Math.max(0, limit - used());
            }
            if (taken > room) {
                throw new FilesException(
                        FilesException.Reason.NO_SPACE,
                        "the sandbox's disk of " + limit + " bytes has room for " + room + " more");
            }
        }
    }

    private long used() throws IOException {
        var use = counted.get();
        if (use.isPresent()) {
            return use.get().bytes();
        }
        var used = new long[1];
        Files.walkFileTree(upper, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                used[0] += attributes.size();
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
                // it went away meanwhile
                return FileVisitResult.CONTINUE;
            }
        });
        return used[0];
    }
}
