package dev.bobbin.runner.build;

import dev.bobbin.runner.Outcome;

/// A command of a build that did not end well.
public final class FailedStep extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Outcome outcome;
    private final int line;

    FailedStep(Step.Run step, Outcome outcome, String message) {
        super(message);
        this.outcome = outcome;
        this.line = step.line();
    }

    /// How its program ended.
    public Outcome outcome() {
        return outcome;
    }

    /// Of the recipe, from 1.
    public int line() {
        return line;
    }
}
