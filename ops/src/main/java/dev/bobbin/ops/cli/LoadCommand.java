package dev.bobbin.ops.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Takes images from an archive or a directory.
@Command(
        name = "load",
        description = "Takes the images of an OCI layout, a directory or a tar archive, or of what docker save writes.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class LoadCommand implements Callable<Integer> {
    @Option(
            names = {"-i", "--input"},
            paramLabel = "FILE",
            description = "An archive or a directory. Default: standard input, unless that is a terminal.")
    private @Nullable Path file;

    @Option(names = "--shared", description = "For everybody.")
    private boolean shared;

    @Mixin
    private final ServerOptions server;

    LoadCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        if (file == null && Terminal.IN.isThere()) {
            System.err.println("bobbin: an archive does not come from a terminal; give -i FILE or a pipe.");
            return 2;
        }
        try (var archive = open()) {
            return server.ask(images -> {
                for (var image : images.load(archive, shared)) {
                    System.out.println(image.get("name") + " " + image.get("digest"));
                }
                return 0;
            });
        } catch (NoSuchFileException absent) {
            System.err.println("bobbin: there is no file " + absent.getMessage() + ".");
            return 1;
        } catch (LayoutDirectory.UnusableException unusable) {
            System.err.println("bobbin: " + unusable.getMessage());
            return 1;
        }
    }

    private InputStream open() throws IOException {
        if (file == null) {
            return System.in;
        }
        return Files.isDirectory(file) ? LayoutDirectory.archive(file) : Files.newInputStream(file);
    }
}
