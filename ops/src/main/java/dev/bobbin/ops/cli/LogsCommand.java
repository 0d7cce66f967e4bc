package dev.bobbin.ops.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Prints what a sandbox's own process or a job printed.
@Command(
        name = "logs",
        description = "Prints what a sandbox's own process, in its present or last run, or a job has printed.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class LogsCommand implements Callable<Integer> {
    private static final Pattern ID = Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");

    @Option(
            names = {"-f", "--follow"},
            description = "Goes on until it ends.")
    private boolean follow;

    @Option(names = "--stream", paramLabel = "STREAM", description = "Only stdout, or only stderr.")
    private @Nullable String stream;

    @Option(names = "--from", paramLabel = "AT", description = "From this position on, which a frame told.")
    private @Nullable String from;

    @Parameters(paramLabel = "SANDBOX|JOB", description = "Id or name of a sandbox, or id of a job.")
    private String name = "";

    @Mixin
    private final ServerOptions server;

    LogsCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        var socket = server.settings().socket();
        try (var client = new JobClient(socket, ServerOptions.live(socket), null)) {
            return client.show(place(new SandboxClient(ServerOptions.live(socket))) + "/output?" + query());
        }
    }

    /// A job if it is an id, and not that of a sandbox.
    private String place(SandboxClient sandboxes) throws IOException {
        try (sandboxes) {
            var isJob = ID.matcher(name).matches() && sandboxes.find(name).isEmpty();
            return isJob ? "/v1/jobs/" + name : SandboxClient.path(name);
        }
    }

    private String query() {
        var query = new StringBuilder("follow=").append(follow);
        if (stream != null) {
            query.append("&stream=").append(ImageClient.encoded(stream));
        }
        if (from != null) {
            query.append("&from=").append(ImageClient.encoded(from));
        }
        return query.toString();
    }
}
