package dev.bobbin.runner.build.dockerfile;

import dev.bobbin.runner.build.Step;
import dev.bobbin.runner.build.StepMount;
import dev.bobbin.runner.build.StepNetwork;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What RUN does.
final class RunStep {
    /// Where a script is that a heredoc holds; nothing of it stays in the image.
    private static final String SCRIPTS = "/run/heredocs/";

    private static final int EXECUTABLE = 0755;

    private final StageImage image;
    private final Compilation compilation;

    RunStep(StageImage image, Compilation compilation) {
        this.image = image;
        this.compilation = compilation;
    }

    Step of(Instruction.Run run) throws InterruptedException {
        var statement = run.statement();
        var mounts = new ArrayList<StepMount>();
        for (var value : run.mounts()) {
            mounts.add(new MountFlag(statement, value, image, compilation).mount());
        }
        var environment = image.environment();
        return new Step.Run(
                statement.line(),
                argv(run, mounts),
                environment,
                compilation.proxies(environment.keySet()),
                image.settings().workdir,
                image.settings().user,
                mounts,
                network(statement, run.network()));
    }

    private List<String> argv(Instruction.Run run, List<StepMount> mounts) {
        var command = image.inspected(run.statement(), run.command());
        var heredocs = run.statement().heredocs();
        if (!command.shell() || heredocs.isEmpty()) {
            return image.settings().argv(command);
        }
        var text = command.words().getFirst();
        if (!text.equals(heredocs.getFirst().word())) {
            return image.settings().withShell(withHeredocs(text, heredocs));
        }
        var script = heredocs.getFirst().stripped();
        if (!script.startsWith("#!")) {
            return image.settings().withShell(script);
        }
        var path = SCRIPTS + heredocs.getFirst().name().replace('/', '_');
        mounts.add(new StepMount.Text(path, script, EXECUTABLE));
        return List.of(path);
    }

    /// The shell reads them itself.
    private static String withHeredocs(String text, List<Heredoc> heredocs) {
        var all = new StringBuilder(text);
        for (var heredoc : heredocs) {
            all.append('\n').append(heredoc.content()).append(heredoc.name());
        }
        return all.append('\n').toString();
    }

    private static StepNetwork network(Statement statement, @Nullable String name) {
        return switch (name) {
            case null -> StepNetwork.DEFAULT;
            case "default" -> StepNetwork.DEFAULT;
            case "none" -> StepNetwork.NONE;
            case "host" -> StepNetwork.HOST;
            default -> throw statement.refuse("--network is default, none or host, not " + name);
        };
    }
}
