package dev.bobbin.ops.cli;

import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Parameters;

/// The sandboxes that a command is about.
final class SandboxNames {
    @Parameters(arity = "1..*", paramLabel = "SANDBOX", description = "Ids or names.")
    private List<String> names = List.of();

    /// What is done with each.
    @FunctionalInterface
    interface Order {
        void give(SandboxClient sandboxes, String name) throws IOException;
    }

    /// Does it with each, whatever became of those before it, and prints the names of those with which it was done.
    int each(ServerOptions server, Order order) throws IOException {
        return server.askOfSandboxes(sandboxes -> {
            var code = 0;
            for (var name : names) {
                try {
                    order.give(sandboxes, name);
                    System.out.println(name);
                } catch (RefusedException refused) {
                    System.err.println("bobbin: " + refused.getMessage());
                    code = 1;
                }
            }
            return code;
        });
    }
}
