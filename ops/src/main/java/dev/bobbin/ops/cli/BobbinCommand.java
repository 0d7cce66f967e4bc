package dev.bobbin.ops.cli;

import dev.bobbin.ops.config.ConfigException;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
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
        var line = new CommandLine(new BobbinCommand());
        var commands = commands(environment, starter);
        // Reading what a command may be told takes a while: only the one that is meant is read.
        var meant = arguments.length == 0 ? null : commands.get(arguments[0]);
        if (meant != null) {
            line.addSubcommand(meant.get());
        } else {
            commands.values().forEach(command -> line.addSubcommand(command.get()));
        }
        line.getSubcommands().values().stream()
                .filter(command -> command.getCommand() instanceof ExecCommand)
                .forEach(command -> command.setStopAtPositional(true));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setExecutionExceptionHandler(BobbinCommand::explain);
        line.setParameterExceptionHandler(BobbinCommand::refuse);
        return line.execute(arguments);
    }

    private static Map<String, Supplier<?>> commands(Map<String, String> environment, Server.Starter starter) {
        var server = new ServerOptions(environment, starter);
        var commands = new LinkedHashMap<String, Supplier<?>>();
        commands.put("run", () -> new RunCommand(server));
        commands.put("serve", () -> new ServeCommand(environment, starter));
        commands.put("create", () -> new CreateCommand(server));
        commands.put("exec", () -> new ExecCommand(server));
        commands.put("attach", () -> new AttachCommand(server));
        commands.put("ps", () -> new PsCommand(server));
        commands.put("port", () -> new PortCommand(server));
        commands.put("logs", () -> new LogsCommand(server));
        commands.put("stats", () -> new StatsCommand(server));
        commands.put("start", () -> new StartCommand(server));
        commands.put("stop", () -> new StopCommand(server));
        commands.put("kill", () -> new KillCommand(server));
        commands.put("restart", () -> new RestartCommand(server));
        commands.put("rename", () -> new RenameCommand(server));
        commands.put("rm", () -> new RemoveCommand(server));
        commands.put("volume", () -> VolumeCommand.line(server));
        commands.put("build", () -> new BuildCommand(server));
        commands.put("images", () -> new ImagesCommand(server));
        commands.put("pull", () -> new PullCommand(server));
        commands.put("push", () -> new PushCommand(server));
        commands.put("inspect", () -> new InspectCommand(server));
        commands.put("save", () -> new SaveCommand(server));
        commands.put("load", () -> new LoadCommand(server));
        commands.put("tag", () -> new TagCommand(server));
        commands.put("rmi", () -> new RemoveImageCommand(server));
        commands.put("prune", () -> new PruneCommand(server));
        commands.put("preflight", () -> new PreflightCommand(server));
        return commands;
    }

    @Override
    public Integer call() {
        throw new ParameterException(
                new CommandLine(java.util.Objects.requireNonNull(spec)),
                "Say what to do: bobbin run, serve; create, exec, attach, ps, port, logs, stats, inspect, start, stop, kill, restart,"
                        + " rename, rm; volume; build; images, pull, push, save, load, tag, rmi, prune; or preflight");
    }

    private static int explain(Exception failure, CommandLine line, CommandLine.ParseResult parsed) throws Exception {
        var code = endsAsItsProgram(line) ? RunCommand.NOTHING_RAN : 1;
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
        return endsAsItsProgram(line) ? RunCommand.NOTHING_RAN : 2;
    }

    /// Its exit codes are those of a program, and one of them must say that none ran.
    private static boolean endsAsItsProgram(CommandLine line) {
        var command = line.getCommand();
        return command instanceof RunCommand || command instanceof ExecCommand || command instanceof AttachCommand;
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
