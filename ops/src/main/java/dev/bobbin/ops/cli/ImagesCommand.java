package dev.bobbin.ops.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Lists the images.
@Command(
        name = "images",
        description = "Lists the images that jobs can run on.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class ImagesCommand implements Callable<Integer> {
    private static final String LINE = "%-48s  %-12s  %10s  %10s  %s%n";
    private static final int SHORT_DIGEST = 12;

    @Option(
            names = {"-q", "--quiet"},
            description = "Only the names.")
    private boolean quiet;

    @Mixin
    private final ServerOptions server;

    ImagesCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        return server.ask(images -> {
            var all = images.list();
            if (!quiet) {
                System.out.printf(LINE, "NAME", "DIGEST", "SIZE", "UNPACKED", "PULLED");
            }
            for (var image : all) {
                if (quiet) {
                    System.out.println(image.get("name"));
                    continue;
                }
                var damaged = image.get("problem") == null ? "" : "  damaged: " + image.get("problem");
                System.out.printf(
                        LINE,
                        image.get("name"),
                        brief(image.get("digest")),
                        Amount.of(image.get("size")),
                        Amount.of(image.get("unpacked_size")),
                        (image.get("pulled_at") instanceof String at
                                        ? at.substring(0, 19).replace('T', ' ')
                                        : "-")
                                + damaged);
            }
            return 0;
        });
    }

    private static String brief(@Nullable Object digest) {
        return digest instanceof String text
                ? text.substring(text.indexOf(':') + 1, text.indexOf(':') + 1 + SHORT_DIGEST)
                : "-";
    }
}
