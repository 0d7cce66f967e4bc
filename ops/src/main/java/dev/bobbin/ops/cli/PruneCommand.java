package dev.bobbin.ops.cli;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Takes away what nobody needs.
@Command(
        name = "prune",
        description = "Removes layers that no image needs and, if asked, images that were not used for long.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class PruneCommand implements Callable<Integer> {
    @Option(names = "--unused-for", paramLabel = "TIME", description = "Also images not used for so long, such as 30d.")
    private @Nullable String unusedFor;

    @Option(
            names = "--keep",
            paramLabel = "SIZE",
            description = "Also those not used for longest, until the rest has at most this size.")
    private @Nullable String keep;

    @Mixin
    private final ServerOptions server;

    PruneCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        var request = new LinkedHashMap<String, Object>();
        if (unusedFor != null) {
            request.put("unused_for", unusedFor);
        }
        if (keep != null) {
            request.put("keep", keep);
        }
        return server.ask(images -> {
            var pruned = images.prune(request);
            if (pruned.get("images") instanceof List<?> names) {
                names.forEach(name -> System.out.println("removed " + name));
            }
            System.out.println("freed " + Amount.of(pruned.get("freed_bytes")));
            return 0;
        });
    }
}
