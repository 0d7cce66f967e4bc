package dev.bobbin.runner.build;

import java.io.IOException;
import java.util.List;

/// A build that is understood and not yet begun: its recipe is compiled, and the images that it names are here. Closing
/// it lets go of its context and of everything that is not in the cache or in an image.
public final class PlannedBuild implements AutoCloseable {
    private final String recipe;
    private final BuildOrder order;
    private final BuildPlan plan;
    private final Runner runner;
    private final List<AutoCloseable> held;

    /// Carries it out.
    @FunctionalInterface
    interface Runner {
        Built run(BuildWatcher watcher) throws InterruptedException;
    }

    /// @param recipe what its file is called
    PlannedBuild(String recipe, BuildOrder order, BuildPlan plan, Runner runner, List<AutoCloseable> held) {
        this.recipe = recipe;
        this.order = order;
        this.plan = plan;
        this.runner = runner;
        this.held = List.copyOf(held);
    }

    public BuildOrder order() {
        return order;
    }

    /// A message behind the place in the recipe that it is about: `Dockerfile:12: …`.
    ///
    /// @param line from 1; 0 if it is about none
    public String located(int line, String message) {
        return BuildException.located(recipe, line, message);
    }

    public BuildPlan plan() {
        return plan;
    }

    /// Carries it out; an interrupt ends it at once, with everything that runs for it.
    ///
    /// @throws BuildException if it cannot be
    /// @throws FailedStep if a command did not end well
    public Built run(BuildWatcher watcher) throws InterruptedException {
        return runner.run(watcher);
    }

    @Override
    public void close() throws IOException {
        Closing.all(held, AutoCloseable::close);
    }
}
