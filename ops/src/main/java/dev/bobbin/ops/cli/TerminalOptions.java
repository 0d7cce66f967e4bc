package dev.bobbin.ops.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// How this command's own terminal and standard input serve the process.
final class TerminalOptions {
    @Spec(Spec.Target.MIXEE)
    private @Nullable CommandSpec spec;

    @Option(
            names = {"-i", "--stdin", "--interactive"},
            description = "Passes standard input on to the command.")
    private boolean stdin;

    @Option(
            names = {"-t", "--tty"},
            description = "Gives the command a terminal; with -i what is typed here is typed there.")
    private boolean terminal;

    @Option(
            names = "--detach-keys",
            paramLabel = "KEYS",
            description = "Typed, they leave the command running. Default ctrl-p,ctrl-q; empty for none.")
    private String detachKeys = DetachKeys.USUAL;

    boolean stdin() {
        return stdin;
    }

    boolean terminal() {
        return terminal;
    }

    DetachKeys detachKeys() {
        try {
            return new DetachKeys(detachKeys);
        } catch (IllegalArgumentException wrong) {
            throw refused("--detach-keys: " + wrong.getMessage());
        }
    }

    /// Refuses what a terminal is no use for.
    void check(boolean json) {
        if (terminal && json) {
            throw refused("-t shows the command as it runs, --json at its end: say one of them");
        }
        if (terminal && stdin && !Terminal.IN.isThere()) {
            throw refused("-t with -i needs a terminal as standard input, and it is none: leave out -t");
        }
    }

    private ParameterException refused(String sentence) {
        return new ParameterException(java.util.Objects.requireNonNull(spec).commandLine(), sentence);
    }
}
