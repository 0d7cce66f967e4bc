package dev.bobbin.ops.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Writes images to an archive.
@Command(
        name = "save",
        description = "Writes images to a tar archive that load, docker, podman and skopeo read.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class SaveCommand implements Callable<Integer> {
    @Parameters(arity = "1..*", paramLabel = "IMAGE")
    private List<String> names = List.of();

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "Default: standard output, unless that is a terminal.")
    private @Nullable Path file;

    @Option(names = "--format", paramLabel = "FORMAT", description = "oci (default) or docker.")
    private String format = "oci";

    @Mixin
    private final ServerOptions server;

    SaveCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        if (file == null && Terminal.OUT.isThere()) {
            System.err.println("bobbin: an archive is not for a terminal; give -o FILE or a pipe.");
            return 2;
        }
        return server.ask(images -> {
            if (file == null) {
                images.save(names, format, new FileOutputStream(FileDescriptor.out));
            } else {
                saveTo(file.toAbsolutePath(), images);
            }
            return 0;
        });
    }

    /// The file is there when all of it is; a failure leaves what was there before.
    private void saveTo(Path target, ImageClient images) throws IOException {
        if (Files.exists(target) && !Files.isRegularFile(target)) {
            try (var out = Files.newOutputStream(target)) {
                images.save(names, format, out);
            }
            return;
        }
        var aside = target.resolveSibling(target.getFileName() + ".part");
        try {
            try (var out = Files.newOutputStream(aside)) {
                images.save(names, format, out);
            }
            Files.move(aside, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(aside);
        }
    }
}
