package dev.bobbin.runner.host;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// A small file system of the test's own, which keeps quotas of projects: an ext4 in a file, mounted in a directory of
/// its own. Gone when closed.
final class QuotaDisk implements AutoCloseable {
    private final Path directory;

    private QuotaDisk(Path directory) {
        this.directory = directory;
    }

    /// Ends the test with the reason where this kernel has no such file system.
    static QuotaDisk mount(long bytes) throws IOException {
        var disk = new QuotaDisk(Files.createTempDirectory("bobbin-quota"));
        try {
            try (var file = new RandomAccessFile(disk.image().toFile(), "rw")) {
                file.setLength(bytes);
            }
            Files.createDirectory(disk.root());
            run("mkfs.ext4", "-q", "-O", "quota,project", disk.image().toString());
            run(
                    "mount",
                    "-o",
                    "loop,prjquota",
                    disk.image().toString(),
                    disk.root().toString());
            return disk;
        } catch (IOException e) {
            disk.remove();
            System.out.println("ProjectQuotaIT: no ext4 with quotas of projects can be mounted here (" + e.getMessage()
                    + "), so they were not tested; src/test/v2/run --part quota does");
            return abort("no quotas of projects");
        }
    }

    private Path image() {
        return directory.resolve("image");
    }

    /// The directory in which it is mounted.
    Path root() {
        return directory.resolve("root");
    }

    private static void run(String... command) throws IOException {
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.onExit().join().exitValue() != 0) {
            throw new IOException(said);
        }
    }

    private void remove() throws IOException {
        Files.deleteIfExists(root());
        Files.deleteIfExists(image());
        Files.deleteIfExists(directory);
    }

    @Override
    public void close() throws IOException {
        run("umount", root().toString());
        remove();
    }
}
