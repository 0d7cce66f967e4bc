package dev.bobbin.ops;

import dev.bobbin.ops.cli.BobbinCommand;

/// The program `bobbin`.
public final class Bobbin {
    private Bobbin() {}

    /// Runs one command; the process ends with its exit code.
    public static void main(String[] arguments) {
        System.exit(BobbinCommand.execute(arguments, System.getenv(), BobbinServer::start));
    }
}
