package dev.bobbin.runner.build;

import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.OutputSink;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;

/// One command of a block: what it sees, how it ends, what it left.
final class CommandStep {
    private static final int LONGEST_COMPLAINT = 4096;
    private static final List<String> SHELL = List.of("/bin/sh", "-c");

    private final Site site;
    private final Block block;
    private final Step.Run step;

    CommandStep(Site site, Block block, Step.Run step) {
        this.site = site;
        this.block = block;
        this.step = step;
    }

    /// Takes what a command left, which is gone afterwards.
    interface Left {
        void take(Commands.Ran ran) throws IOException;
    }

    /// Where a command's mounts copy from.
    interface Opener {
        Tree open(Source source) throws InterruptedException;
    }

    /// Runs it to its end.
    ///
    /// @throws FailedStep if that is not 0
    void run(Site.Ground ground, Opener sources, Left left) throws IOException, InterruptedException {
        try (var fixtures = new Fixtures(
                site.scratch(), site.order().secrets(), site.order().limits().diskBytes())) {
            for (var mount : step.mounts()) {
                if (mount instanceof StepMount.Bind bind) {
                    fixtures.bind(bind, bind.asCopy(step.line()), sources.open(bind.source()));
                } else {
                    fixtures.add(mount, step.line());
                }
            }
            var env = new LinkedHashMap<>(step.env());
            env.putAll(step.hiddenEnv());
            env.putAll(fixtures.variables());
            var order = site.order();
            var network = Networks.of(step, order);
            var command = new Commands.Command(
                    order.tenant(), ground.rootfs(), step, env, order.limits(), network, fixtures.made());
            var complaint = new Complaint();
            try (var ran = site.commands().run(command, complaint)) {
                check(ran.outcome(), complaint);
                left.take(ran);
            }
        }
    }

    private void check(Outcome outcome, Complaint complaint) {
        if (outcome instanceof Outcome.Exited(var code) && code == 0) {
            return;
        }
        var how = switch (outcome) {
            case Outcome.Exited(var code) -> "exit status " + code;
            case Outcome.Killed killed -> "killed by signal " + killed.signal();
            case Outcome.OutOfMemory _ -> "out of memory";
            case Outcome.TimedOut _ -> "took longer than it may";
            case Outcome.OutputLimit _ -> "printed more than it may";
            case Outcome.Cancelled(var by) -> "cancelled by " + by;
            case Outcome.HostLost _ -> "its sandbox was lost";
            case Outcome.ImageError(var detail) -> detail;
            case Outcome.SandboxError(var detail) -> detail;
        };
        var hint = complaint.isAboutDevices() ? "; a step of a build can make no device nodes" : "";
        throw new FailedStep(step, outcome, "run " + words() + ": " + how + hint);
    }

    /// What the recipe says to run: without the shell that it did not name.
    private List<String> words() {
        var argv = step.argv();
        return argv.size() == SHELL.size() + 1 && argv.subList(0, SHELL.size()).equals(SHELL)
                ? List.of(argv.getLast())
                : argv;
    }

    /// Passes output on, and remembers its end.
    private final class Complaint implements OutputSink {
        private final StringBuilder last = new StringBuilder();

        @Override
        public void accept(Output output) {
            if (output instanceof Output.Bytes bytes) {
                last.append(new String(bytes.copy(), StandardCharsets.ISO_8859_1));
                last.delete(0, Math.max(0, last.length() - LONGEST_COMPLAINT));
                site.watcher().printed(block.name(), bytes.stream(), bytes.data());
            }
        }

        boolean isAboutDevices() {
            return last.indexOf("mknod") >= 0 && last.indexOf("not permitted") >= 0;
        }
    }
}
