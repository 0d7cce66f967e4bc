package dev.bobbin.runner.build.dockerfile;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One instruction, its form checked, its variables still in it.
sealed interface Instruction {

    Statement statement();

    /// The beginning of a stage.
    ///
    /// @param platform `null` if none is asked for
    record From(
            Statement statement,
            String image,
            @Nullable String stage,
            @Nullable String platform) implements Instruction {}

    record Arg(Statement statement, List<Pair> declared) implements Instruction {}

    record Env(Statement statement, List<Pair> variables) implements Instruction {}

    record Label(Statement statement, List<Pair> labels) implements Instruction {}

    /// A command that is run now.
    ///
    /// @param mounts the values of its `--mount`s
    record Run(
            Statement statement,
            Command command,
            List<String> mounts,
            @Nullable String network) implements Instruction {}

    /// COPY and ADD.
    ///
    /// @param unpack whether local archives are unpacked
    /// @param from a stage or an image; `null` for the context
    record Copy(
            Statement statement,
            List<String> sources,
            List<Heredoc> files,
            String destination,
            boolean unpack,
            @Nullable String from,
            @Nullable String owner,
            @Nullable String mode,
            List<String> excludes,
            boolean link,
            boolean parents)
            implements Instruction {}

    record Cmd(Statement statement, Command command) implements Instruction {}

    record Entrypoint(Statement statement, Command command) implements Instruction {}

    record Workdir(Statement statement, String path) implements Instruction {}

    record User(Statement statement, String user) implements Instruction {}

    record Expose(Statement statement, List<String> ports) implements Instruction {}

    record Volume(Statement statement, List<String> paths) implements Instruction {}

    record StopSignal(Statement statement, String signal) implements Instruction {}

    record Shell(Statement statement, List<String> words) implements Instruction {}

    /// How the image's program is asked whether it is well.
    ///
    /// @param json as an image's configuration has it
    record Healthcheck(Statement statement, Map<String, Object> json) implements Instruction {}

    record OnBuild(Statement statement, String trigger) implements Instruction {}

    record Maintainer(Statement statement, String name) implements Instruction {}

    /// A name and its value.
    ///
    /// @param value `null` where only a name stands
    record Pair(String name, @Nullable String value) {}

    /// A program and its arguments, or a text for a shell.
    ///
    /// @param shell whether it is a text, then the only one of `words`
    record Command(boolean shell, List<String> words) {}
}
