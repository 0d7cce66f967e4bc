package dev.bobbin.ops.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Comes back to a terminal.
@Command(
        name = "attach",
        description = {
            "Shows the terminal of a sandbox's own process or of a job, types into it, and ends as that ends.",
            "Several may be attached; bobbin logs shows what came before."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class AttachCommand implements Callable<Integer> {
    private static final Pattern ID = Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");

    @Option(names = "--no-stdin", description = "Only looks.")
    private boolean looks;

    @Option(
            names = "--detach-keys",
            paramLabel = "KEYS",
            description = "Typed, they leave it running. Default ctrl-p,ctrl-q; empty for none.")
    private String detachKeys = DetachKeys.USUAL;

    @Parameters(paramLabel = "SANDBOX|JOB", description = "Id or name of a sandbox, or id of a job.")
    private String name = "";

    @Mixin
    private final ServerOptions server;

    AttachCommand(ServerOptions server) {
        this.server = server;
    }

    @Override
    public Integer call() throws IOException {
        if (!looks && !Terminal.IN.isThere()) {
            throw new StartException("Standard input is no terminal: say --no-stdin to look only.");
        }
        var keys = keys();
        var socket = server.settings().socket();
        try (var terminal = new TerminalClient(socket, ServerOptions.live(socket), null)) {
            Runtime.getRuntime().addShutdownHook(new Thread(terminal::leave, "bobbin-leave"));
            return terminal.attach(job(new SandboxClient(ServerOptions.live(socket))), looks ? null : keys);
        } catch (RefusedException refused) {
            System.err.println("bobbin: " + refused.getMessage());
            return RunCommand.NOTHING_RAN;
        }
    }

    private DetachKeys keys() {
        try {
            return new DetachKeys(detachKeys);
        } catch (IllegalArgumentException wrong) {
            throw new StartException("--detach-keys: " + wrong.getMessage());
        }
    }

    /// What was named, or the job of the sandbox that was named.
    private String job(SandboxClient sandboxes) throws IOException {
        try (sandboxes) {
            var sandbox = sandboxes.find(name);
            if (sandbox.isEmpty() && ID.matcher(name).matches()) {
                return name;
            }
            var known = sandbox.orElseThrow(() -> new RefusedException("there is no sandbox \"" + name + "\""));
            return String.valueOf(Json.object(known).get("job"));
        }
    }
}
