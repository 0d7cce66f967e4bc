package dev.bobbin.runner.host;

import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Refusal;

/// What sandboxes that last pass before each start, whoever starts them.
public interface SandboxGate {
    /// Lets everybody in.
    SandboxGate OPEN = new SandboxGate() {
        @Override
        public Entry enter(Limits limits) {
            return new Entry.Admitted(() -> {});
        }

        @Override
        public Place readmit(Limits limits) {
            return () -> {};
        }
    };

    /// Asks for a place for a sandbox with these limits; may wait for one.
    Entry enter(Limits limits) throws InterruptedException;

    /// The place of a sandbox that runs already, whether there is room or not.
    Place readmit(Limits limits);

    /// What the gate says: come in, or go away and why.
    sealed interface Entry {
        record Admitted(Place place) implements Entry {}

        record Refused(Refusal refusal) implements Entry {}
    }

    /// A place at the gate. Given back when the sandbox does not run any more; again does nothing.
    @FunctionalInterface
    interface Place {
        void giveBack();
    }
}
