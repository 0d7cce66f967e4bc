package dev.bobbin.runner.build.dockerfile;

import dev.bobbin.image.ImageConfig;
import dev.bobbin.image.Platform;
import dev.bobbin.runner.build.Base;
import dev.bobbin.runner.build.BaseImage;
import dev.bobbin.runner.build.Block;
import dev.bobbin.runner.build.BuildException;
import dev.bobbin.runner.build.BuildPlan.Past;
import dev.bobbin.runner.build.Step;
import dev.bobbin.runner.build.dockerfile.Dockerfile.Stage;
import dev.bobbin.runner.build.dockerfile.Instruction.Command;
import dev.bobbin.runner.build.dockerfile.Instruction.Pair;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The image that one stage makes, as far as its instructions have been followed.
final class StageImage {
    private static final String PATH = "PATH";
    private static final String USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    private static final String AUTHORS = "org.opencontainers.image.authors";
    private static final Pattern ARRAY = Pattern.compile("(?s)\\[\\s*[\"'].*]");
    private static final Pattern PORTS = Pattern.compile("([0-9]{1,5})(?:-([0-9]{1,5}))?(?:/((?i)tcp|udp|sctp))?");
    private static final Pattern SIGNAL =
            Pattern.compile("(?:SIG)?[A-Z][A-Z0-9]*(?:[+-][0-9]{1,2})?|[1-9]|[1-5][0-9]|6[0-4]");
    private static final int LAST_PORT = 65535;
    private static final int DIRECTORY = 0755;
    private static final int LONGEST_TITLE = 160;

    private final Compilation compilation;
    private final Stage stage;
    private final Map<String, @Nullable String> arguments = new HashMap<>();
    private final List<Past> history = new ArrayList<>();
    private final List<Layer> layers = new ArrayList<>();
    private Settings settings = new Settings(new ImageConfig(Map.of(), List.of(), List.of(), "root", "/"));
    private Base beginning = new Base.Scratch();
    private Base top = beginning;

    StageImage(Compilation compilation, Stage stage) {
        this.compilation = compilation;
        this.stage = stage;
    }

    /// Follows the instructions, once.
    void make() throws InterruptedException {
        begin(stage.from());
        for (var instruction : stage.instructions()) {
            follow(instruction);
        }
    }

    /// All that is seen of it.
    Base top() {
        return top;
    }

    ImageConfig config() {
        return settings.config();
    }

    /// What was done above the image that all stands on.
    List<Past> history() {
        return history;
    }

    /// One for each instruction that makes a layer.
    List<Block> blocks() {
        var blocks = new ArrayList<Block>();
        var under = beginning;
        for (var layer : layers) {
            var name = name(blocks.size());
            var at = (blocks.size() + 2) + "/" + (layers.size() + 1);
            var title = "[" + (compilation.hasManyStages() ? stage.label() + " " : "") + at + "] "
                    + shortened(layer.statement.text());
            blocks.add(new Block(name, title, layer.statement.line(), under, List.of(), List.of(), layer.steps));
            under = new Base.Result(name);
        }
        return blocks;
    }

    private void begin(Instruction.From from) throws InterruptedException {
        var statement = from.statement();
        var expansion = statement.expansion(compilation.globals()::get);
        checkPlatform(from, expansion);
        var name = expansion.word(from.image());
        if (name.isEmpty()) {
            throw statement.refuse(from.image() + " is empty; declare it before the first FROM: ARG NAME=image");
        }
        var before = compilation.before(stage, name);
        var triggers = List.<String>of();
        if (before != null) {
            var image = compilation.stage(before, statement);
            top = image.top;
            arguments.putAll(image.arguments);
            history.addAll(image.history);
            settings = new Settings(image.config());
            triggers = image.settings.triggers;
        } else if (name.equals("scratch")) {
            settings.environment.put(PATH, USUAL_PATH);
        } else {
            var base = resolve(statement, name);
            top = new Base.Image(base.reference());
            settings = new Settings(base.config());
            triggers = base.config().onBuild();
        }
        beginning = top;
        pull(statement, triggers);
    }

    private BaseImage resolve(Statement statement, String name) throws InterruptedException {
        try {
            return compilation.images().resolve(compilation.reference(statement, name));
        } catch (BuildException e) {
            throw e.line() > 0
                    ? e
                    : new BuildException(e.problem(), statement.line(), String.valueOf(e.getMessage()), e);
        }
    }

    /// Only programs of this machine can be run here.
    private void checkPlatform(Instruction.From from, Expansion expansion) {
        var asked = from.platform();
        if (asked == null) {
            return;
        }
        var text = expansion.word(asked);
        try {
            if (compilation.platform().matches(Platform.parse(text))) {
                return;
            }
        } catch (IllegalArgumentException e) {
            throw from.statement().refuse("--platform=" + text + ": " + e.getMessage());
        }
        throw from.statement()
                .refuse("--platform=" + text + " cannot be built here; this machine runs "
                        + compilation.platform().text());
    }

    /// Follows the triggers that an image left for those who build on it.
    private void pull(Statement from, List<String> triggers) throws InterruptedException {
        for (var trigger : triggers) {
            try {
                var statement = new Statement(from.line(), trigger, List.of(), '\\');
                var instruction = Instructions.read(statement);
                if (instruction instanceof Instruction.OnBuild
                        || instruction instanceof Instruction.From
                        || instruction instanceof Instruction.Maintainer) {
                    throw statement.refuse("it cannot be a trigger");
                }
                follow(instruction);
            } catch (BuildException e) {
                if (e.problem() != BuildException.Problem.RECIPE) {
                    throw e;
                }
                throw from.refuse("the base leaves ONBUILD " + shortened(trigger) + ": " + e.getMessage());
            }
        }
    }

    private void follow(Instruction instruction) throws InterruptedException {
        var statement = instruction.statement();
        switch (instruction) {
            case Instruction.Run run -> layer(statement, List.of(new RunStep(this, compilation).of(run)));
            case Instruction.Copy copy -> layer(statement, new CopySteps(this, compilation).of(copy));
            case Instruction.Workdir workdir -> layer(statement, List.of(enter(statement, workdir.path())));
            case Instruction other -> {
                note(other);
                history.add(new Past(statement.text(), null));
            }
        }
    }

    private void layer(Statement statement, List<Step> steps) {
        var name = name(layers.size());
        layers.add(new Layer(statement, steps));
        history.add(new Past(statement.text(), name));
        top = new Base.Result(name);
    }

    private Step enter(Statement statement, String path) {
        settings.workdir = settings.resolve(notEmpty(statement, path));
        var owner = settings.user.equals("root") ? null : settings.user;
        return new Step.MakeDirectory(statement.line(), settings.workdir, owner, DIRECTORY);
    }

    /// Keeps what makes no layer.
    private void note(Instruction instruction) {
        var statement = instruction.statement();
        switch (instruction) {
            case Instruction.Arg arg -> declare(arg);
            case Instruction.Env env -> put(statement, env.variables(), settings.environment);
            case Instruction.Label label -> put(statement, label.labels(), settings.labels);
            case Instruction.Cmd cmd -> settings.setCommand(inspected(statement, cmd.command()));
            case Instruction.Entrypoint entry -> settings.setEntrypoint(inspected(statement, entry.command()));
            case Instruction.User user -> settings.user = notEmpty(statement, user.user());
            case Instruction.Expose expose -> expose(statement, expose.ports());
            case Instruction.Volume volume ->
                volume.paths().forEach(path -> settings.volumes.add(notEmpty(statement, path)));
            case Instruction.StopSignal signal -> settings.stopSignal = signal(statement, signal.signal());
            case Instruction.Shell shell -> settings.setShell(shell.words());
            case Instruction.Healthcheck check -> settings.setHealthcheck(check.json());
            case Instruction.OnBuild trigger -> settings.triggers.add(trigger.trigger());
            case Instruction.Maintainer maintainer -> {
                compilation.warn(statement, "MAINTAINER is of old; write LABEL " + AUTHORS + "=…");
                settings.labels.put(AUTHORS, maintainer.name());
            }
            case Instruction.From _, Instruction.Run _, Instruction.Copy _, Instruction.Workdir _ ->
                throw new IllegalStateException(statement.text() + " makes a layer or a stage");
        }
    }

    private void declare(Instruction.Arg arg) {
        var expansion = expansion(arg.statement());
        var values = new HashMap<String, @Nullable String>();
        for (var pair : arg.declared()) {
            values.put(expansion.word(pair.name()), compilation.argument(pair, expansion));
        }
        arguments.putAll(values);
    }

    /// All values are as the variables were before the instruction.
    private void put(Statement statement, List<Pair> pairs, Map<String, String> into) {
        var expansion = expansion(statement);
        var values = new LinkedHashMap<String, String>();
        for (var pair : pairs) {
            var name = expansion.word(pair.name());
            var value = pair.value();
            if (name.isEmpty() || name.indexOf('=') >= 0) {
                throw statement.refuse("\"" + name + "\" is no name");
            }
            values.put(name, value == null ? "" : expansion.word(value));
        }
        into.putAll(values);
    }

    /// `command`, with a warning if it looks as if it had been meant as an array.
    Command inspected(Statement statement, Command command) {
        if (command.shell() && ARRAY.matcher(command.words().getFirst()).matches()) {
            compilation.warn(
                    statement,
                    "this is no JSON array, so it goes to the shell as it is; an array is written"
                            + " with double quotes: [\"a\", \"b\"]");
        }
        return command;
    }

    private void expose(Statement statement, List<String> words) {
        for (var word : words) {
            for (var port : expansion(statement).word(word).strip().split("\\s+", -1)) {
                var match = PORTS.matcher(port);
                var first = match.matches() ? Integer.parseInt(match.group(1)) : 0;
                var last = match.matches() && match.group(2) != null ? Integer.parseInt(match.group(2)) : first;
                if (first < 1 || last < first || last > LAST_PORT) {
                    throw statement.refuse("\"" + port + "\" is no port; write 80, 80/udp or 8000-8010");
                }
                var protocol = match.group(3) == null ? "tcp" : match.group(3).toLowerCase(Locale.ROOT);
                for (var each = first; each <= last; each++) {
                    settings.ports.add(each + "/" + protocol);
                }
            }
        }
    }

    private String signal(Statement statement, String word) {
        var signal = expansion(statement).word(word);
        if (!SIGNAL.matcher(signal).matches()) {
            throw statement.refuse("\"" + signal + "\" is no signal; write SIGTERM, or a number from 1 to 64");
        }
        return signal;
    }

    private String notEmpty(Statement statement, String raw) {
        var word = expansion(statement).word(raw).strip();
        if (word.isEmpty()) {
            throw statement.refuse(raw + " is empty");
        }
        return word;
    }

    /// What words mean at this point of the stage: variables come before arguments of the same name.
    Expansion expansion(Statement statement) {
        return statement.expansion(name -> {
            var value = settings.environment.get(name);
            return value == null ? arguments.get(name) : value;
        });
    }

    /// What a command sees: arguments that have a value, and variables before them.
    Map<String, String> environment() {
        var all = new TreeMap<String, String>();
        arguments.forEach((name, value) -> {
            if (value != null) {
                all.put(name, value);
            }
        });
        var environment = new LinkedHashMap<>(settings.environment);
        all.forEach(environment::putIfAbsent);
        return environment;
    }

    Settings settings() {
        return settings;
    }

    Stage stage() {
        return stage;
    }

    private String name(int layer) {
        return stage.index() + "." + (layer + 1);
    }

    private static String shortened(String text) {
        return text.length() <= LONGEST_TITLE ? text : text.substring(0, LONGEST_TITLE - 1) + "…";
    }

    private record Layer(Statement statement, List<Step> steps) {}
}
