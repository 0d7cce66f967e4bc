package dev.bobbin.runner.volume;

import dev.bobbin.runner.kernel.Allocation;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.FileVisitor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What the files of a tree take together on the disk, that may change meanwhile. No link is followed.
final class FileSizes implements FileVisitor<Path> {
    private static final long BLOCK = 4096;
    /// A file system can say anything; sums of these still are numbers.
    private static final long MOST = 1L << 46;
    /// Each level of directories costs a descriptor while it is looked at.
    private static final int DEEPEST = 256;

    private long bytes;

    private FileSizes() {}

    /// Of all that can be seen, to a depth of 256 directories; an interrupt ends it early.
    static long of(Path tree) {
        var sizes = new FileSizes();
        try {
            Files.walkFileTree(tree, Set.of(), DEEPEST, sizes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return sizes.bytes;
    }

    @Override
    public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
        return add(BLOCK);
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
        return add(Allocation.bytes(file).orElse(attributes.size()));
    }

    private FileVisitResult add(long more) {
        bytes = Math.min(MOST, bytes + Math.clamp(more, 0, MOST));
        return Thread.currentThread().isInterrupted() ? FileVisitResult.TERMINATE : FileVisitResult.CONTINUE;
    }

    /// It went away, or its path is too long to be looked at.
    @Override
    public FileVisitResult visitFileFailed(Path file, IOException problem) {
        return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException problem) {
        return FileVisitResult.CONTINUE;
    }
}
