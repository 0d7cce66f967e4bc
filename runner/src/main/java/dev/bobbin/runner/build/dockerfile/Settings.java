package dev.bobbin.runner.build.dockerfile;

import dev.bobbin.image.ImageConfig;
import dev.bobbin.runner.build.dockerfile.Instruction.Command;
import dev.bobbin.runner.sandbox.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// How the programs of an image are run, while its Dockerfile still says so.
final class Settings {
    private static final List<String> USUAL_SHELL = List.of("/bin/sh", "-c");

    final Map<String, String> environment;
    final Map<String, String> labels;
    final Set<String> volumes;
    final Set<String> ports;
    final List<String> triggers = new ArrayList<>();
    String user;
    String workdir;

    @Nullable
    String stopSignal;

    private List<String> entrypoint;
    private List<String> command;
    private List<String> shell;
    private @Nullable String healthcheck;
    private boolean ownCommand;

    /// Those that a build on an image of `config` begins with. Triggers are not inherited.
    Settings(ImageConfig config) {
        environment = new LinkedHashMap<>(config.environment());
        labels = new LinkedHashMap<>(config.labels());
        volumes = new LinkedHashSet<>(config.volumes());
        ports = new LinkedHashSet<>(config.exposedPorts());
        user = config.user();
        workdir = config.workdir();
        stopSignal = config.stopSignal();
        entrypoint = config.entrypoint();
        command = config.command();
        shell = config.shell();
        healthcheck = config.healthcheck();
    }

    void setCommand(Command words) {
        command = argv(words);
        ownCommand = true;
    }

    /// Takes away a command that was inherited: it was meant for another entrypoint.
    void setEntrypoint(Command words) {
        entrypoint = argv(words);
        if (!ownCommand) {
            command = List.of();
        }
    }

    void setShell(List<String> words) {
        shell = words;
    }

    void setHealthcheck(Map<String, Object> json) {
        healthcheck = Json.write(json).strip();
    }

    /// What is started for a command; a text goes to the shell.
    List<String> argv(Command words) {
        return words.shell() ? withShell(words.words().getFirst()) : words.words();
    }

    List<String> withShell(String text) {
        var argv = new ArrayList<>(shell.isEmpty() ? USUAL_SHELL : shell);
        argv.add(text);
        return argv;
    }

    /// The absolute path that `path` means in the working directory, plain: without `.`, `..` and `//`, and with no `/`
    /// at its end.
    String resolve(String path) {
        var parts = new ArrayList<String>();
        for (var part : (path.startsWith("/") ? path : workdir + "/" + path).split("/", -1)) {
            if (part.equals("..") && !parts.isEmpty()) {
                parts.removeLast();
            } else if (!part.isEmpty() && !part.equals(".") && !part.equals("..")) {
                parts.add(part);
            }
        }
        return "/" + String.join("/", parts);
    }

    ImageConfig config() {
        return new ImageConfig(
                environment,
                entrypoint,
                command,
                user,
                workdir,
                stopSignal,
                List.copyOf(volumes),
                List.copyOf(ports),
                labels,
                healthcheck,
                shell,
                triggers,
                ImageConfig.Origin.HERE);
    }
}
