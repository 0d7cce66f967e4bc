package dev.bobbin.ops.cli;

import dev.bobbin.ops.config.ConfigException;
import java.io.PrintWriter;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// The program's commands as a person types them.
@Command(
        name = "bobbin",
        description = "Runs commands in isolated sandboxes.",
        mixinStandardHelpOptions = true,
        versionProvider = BobbinCommand.Version.class,
        sortOptions = false)
public final class BobbinCommand implements Callable<Integer> {
    @Spec
    private @Nullable CommandSpec spec;

    /// Runs the command that `arguments` say and gives its exit code.
    public static int execute(String[] arguments, Map<String, String> environment, Server.Starter starter) {
        var line = new CommandLine(new BobbinCommand())
                .addSubcommand(new RunCommand(environment, starter))
                .addSubcommand(new ServeCommand(environment, starter));
        line.setExecutionExceptionHandler(BobbinCommand::explain);
        line.setParameterExceptionHandler(BobbinCommand::refuse);
        return line.execute(arguments);
    }

    @Override
    public Integer call() {
        throw new ParameterException(
                new CommandLine(java.util.Objects.requireNonNull(spec)), "Say what to do: bobbin run or bobbin serve");
    }

    private static int explain(Exception failure, CommandLine line, CommandLine.ParseResult parsed) throws Exception {
        var code = line.getCommand() instanceof RunCommand ? RunCommand.NOTHING_RAN : 1;
        switch (failure) {
            case ConfigException wrong -> say(line.getErr(), wrong);
            case StartException impossible -> say(line.getErr(), impossible);
            default -> throw failure;
        }
        return code;
    }

    private static void say(PrintWriter err, Exception failure) {
        String.valueOf(failure.getMessage()).lines().forEach(sentence -> err.println("bobbin: " + sentence));
    }

    private static int refuse(ParameterException wrong, String[] arguments) {
        var line = wrong.getCommandLine();
        var name = line.getCommandSpec().qualifiedName();
        line.getErr().println("bobbin: " + wrong.getMessage() + ". See " + name + " --help.");
        return line.getCommand() instanceof RunCommand ? RunCommand.NOTHING_RAN : 2;
    }

    /// The version that the build wrote into the program's manifest.
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            var version = BobbinCommand.class.getPackage().getImplementationVersion();
            return new String[] {
                "bobbin " + (version == null ? "unpackaged" : version) + " on Java " + Runtime.version()
            };
        }
    }
}
