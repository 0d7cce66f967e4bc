package dev.bobbin.runner.volume;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.FileVisitor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/// What the files of a tree take together, that may change meanwhile. No link is followed.
final class FileSizes implements FileVisitor<Path> {
    private static final long BLOCK = 4096;

    private long bytes;

    private FileSizes() {}

    /// Of all that can be seen; an interrupt ends it early.
    static long of(Path tree) {
        var sizes = new FileSizes();
        try {
            Files.walkFileTree(tree, sizes);
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
        return add((attributes.size() + BLOCK - 1) / BLOCK * BLOCK);
    }

    private FileVisitResult add(long more) {
        bytes += more;
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
