package dev.bobbin.ops.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// How a sandbox is asked to end, and how long it has.
final class StopOptions {
    @Option(
            names = {"-s", "--signal"},
            paramLabel = "SIGNAL",
            description = "Name or number. Default what the image names, else SIGTERM.")
    private @Nullable String signal;

    @Option(
            names = {"-t", "--time", "--grace"},
            paramLabel = "TIME",
            description = "How long it has before it is killed. Default 10s.")
    private @Nullable String grace;

    /// As the server takes it.
    Request request() {
        return new Request().put("signal", signal).putAmount("grace", grace);
    }
}
