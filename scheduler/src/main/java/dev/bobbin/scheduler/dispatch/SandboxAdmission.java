package dev.bobbin.scheduler.dispatch;

import dev.bobbin.runner.Limits;
import dev.bobbin.runner.host.SandboxGate;
import dev.bobbin.scheduler.admission.Admission;
import dev.bobbin.scheduler.admission.Admission.Stay;

/// Leads sandboxes that last through the same gate as jobs.
record SandboxAdmission(Admission admission) implements SandboxGate {
    @Override
    public Entry enter(Limits limits) throws InterruptedException {
        return switch (admission.enter(Stay.LASTING, limits)) {
            case Admission.Entry.TurnedAway(var refusal) -> new Entry.Refused(refusal);
            case Admission.Entry.Admitted(var ticket) -> new Entry.Admitted(ticket::close);
        };
    }

    @Override
    public Place readmit(Limits limits) {
        return admission.readmit(Stay.LASTING, limits)::close;
    }
}
