package dev.bobbin.ops.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Writes images to an archive or a directory.
@Command(
        name = "save",
        description = "Writes images to a tar archive or a directory, for load, docker, podman and skopeo.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class SaveCommand implements Callable<Integer> {
    private static final String DIRECTORY = "oci-dir";

    @Parameters(arity = "1..*", paramLabel = "IMAGE")
    private List<String> names = List.of();

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "Default: standard output, unless that is a terminal.")
    private @Nullable Path file;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            description = "oci (default), docker, or oci-dir: an OCI layout in the new or empty directory FILE.")
    private String format = "oci";

    @Mixin
    private final ServerOptions server;

    SaveCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        if (file == null) {
            return toStandardOutput();
        }
        var target = file.toAbsolutePath().normalize();
        var asDirectory = format.equals(DIRECTORY);
        var obstacle = asDirectory ? obstacle(target) : directoryAt(target);
        if (obstacle != null) {
            System.err.println("bobbin: " + obstacle);
            return 1;
        }
        return server.ask(images -> {
            if (asDirectory) {
                saveInto(target, images);
            } else {
                saveTo(target, images);
            }
            return 0;
        });
    }

    private int toStandardOutput() throws IOException {
        if (format.equals(DIRECTORY)) {
            System.err.println("bobbin: " + DIRECTORY + " needs a directory; give -o DIR.");
            return 2;
        }
        if (Terminal.OUT.isThere()) {
            System.err.println("bobbin: an archive is not for a terminal; give -o FILE or a pipe.");
            return 2;
        }
        return server.ask(images -> {
            images.saved(names, format).transferTo(new FileOutputStream(FileDescriptor.out));
            return 0;
        });
    }

    private static @Nullable String directoryAt(Path target) {
        return Files.isDirectory(target)
                ? target + " is a directory; with --format " + DIRECTORY + " it could be saved to."
                : null;
    }

    private static @Nullable String obstacle(Path target) throws IOException {
        if (Files.exists(aside(target), LinkOption.NOFOLLOW_LINKS)) {
            return aside(target) + " is in the way, left by a save that was killed or is still going on.";
        }
        if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            return null;
        }
        if (!Files.isDirectory(target, LinkOption.NOFOLLOW_LINKS)) {
            return target + " is there already and is no directory.";
        }
        try (var files = Files.list(target)) {
            return files.findAny().isPresent() ? target + " is not empty." : null;
        }
    }

    /// The file is there when all of it is; a failure leaves what was there before.
    private void saveTo(Path target, ImageClient images) throws IOException {
        if (Files.exists(target) && !Files.isRegularFile(target)) {
            try (var out = Files.newOutputStream(target)) {
                images.saved(names, format).transferTo(out);
            }
            return;
        }
        var aside = aside(target);
        try {
            try (var out = Files.newOutputStream(aside)) {
                images.saved(names, format).transferTo(out);
            }
            Files.move(aside, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(aside);
        }
    }

    /// The same for a directory.
    private void saveInto(Path target, ImageClient images) throws IOException {
        var archive = images.saved(names, "oci");
        var aside = Files.createDirectory(aside(target));
        try {
            LayoutDirectory.write(archive, aside);
            Files.move(aside, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            if (Files.exists(aside)) {
                try (var files = Files.walk(aside)) {
                    for (var each : files.sorted(Comparator.reverseOrder()).toList()) {
                        Files.delete(each);
                    }
                }
            }
        }
    }

    private static Path aside(Path target) {
        return target.resolveSibling(target.getFileName() + ".part");
    }
}
