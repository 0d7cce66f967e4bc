package dev.bobbin.runner.host;

import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.BuildEvent;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.RequestKey;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.StartTimeline.Phase;
import dev.bobbin.runner.build.BuildException;
import dev.bobbin.runner.build.BuildWatcher;
import dev.bobbin.runner.build.FailedStep;
import dev.bobbin.runner.build.PlannedBuild;
import dev.bobbin.runner.cgroup.Cgroups;
import dev.bobbin.runner.journal.JournalWriter;
import dev.bobbin.runner.wire.Fields;
import dev.bobbin.runner.wire.FieldsWriter;
import dev.bobbin.runner.wire.Wire;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A build as a job: it has a journal, which this process writes, and can be cancelled.
final class BuildJob implements BuildWatcher {
    private static final System.Logger LOG = System.getLogger(BuildJob.class.getName());
    private static final int FAILED = 1 << 8;
    private static final int EINVAL = 22;

    private final Premises premises;
    private final PlannedBuild build;
    private final StepLines lines = new StepLines();
    private final LocalExecution execution;
    private final JournalWriter journal;
    private final BuildMeters meters;
    private final Runnable atEnd;
    private final Thread thread;
    private volatile @Nullable String cancelledBy;
    private volatile boolean printedTooMuch;
    private long printed;

    /// @param key of the request that asked for it; `null` for none
    /// @param atEnd called when nothing of it runs any more
    BuildJob(
            Premises premises,
            PlannedBuild build,
            Job.OnDisconnect onDisconnect,
            @Nullable RequestKey key,
            StartTimeline timeline,
            BuildMeters meters,
            Consumer<LocalExecution> atEnd)
            throws IOException {
        this.premises = premises;
        this.build = build;
        var order = build.order();
        var name = order.name();
        var meta = new JobMeta(
                order.id(),
                order.tenant(),
                JobMeta.BUILD,
                name == null ? new ImageReference("build") : name,
                List.of(),
                Map.of(),
                Instant.now(),
                timeline,
                onDisconnect,
                false,
                false,
                Long.MAX_VALUE,
                order.limits(),
                premises.unenforced(order.limits()),
                List.of(),
                List.of(),
                null,
                null,
                key);
        var id = SandboxId.next();
        this.execution = new LocalExecution(
                meta,
                id,
                premises.files().journal(id),
                premises.precedence(),
                null,
                timeline,
                () -> {},
                () -> {},
                _ -> {},
                () -> Cgroups.evidence(List.of()));
        this.meters = meters;
        this.atEnd = () -> atEnd.accept(execution);
        this.thread = Thread.ofVirtual().name("build-" + order.id()).unstarted(this::run);
        this.execution.cancelledThrough(this::cancel);
        this.journal = JournalWriter.create(premises.files().journal(id), meta.encode(), execution::grew);
    }

    LocalExecution execution() {
        return execution;
    }

    /// Begins.
    void start() {
        premises.known(execution);
        thread.start();
    }

    private void cancel(String by) {
        cancelledBy = by;
        thread.interrupt();
    }

    private void run() {
        var began = System.nanoTime();
        try (journal) {
            var end = work();
            for (var left : lines.rest()) {
                journal.output(left.stream(), left.data());
            }
            execution.timeline().stamp(Phase.END);
            var fields = journal.ended(end);
            execution.ended(journal.position(), null, Fields.decode(ByteBuffer.wrap(fields)));
        } catch (IOException | UncheckedIOException e) {
            LOG.log(Level.WARNING, "the journal of build " + execution.id() + " could not be written", e);
            execution.lost();
        } finally {
            execution.ending().ifPresent(ending -> meters.ended(ending.outcome(), System.nanoTime() - began));
            atEnd.run();
            premises.superseded(execution);
        }
    }

    /// What was held for it is free before anybody hears that it is over: who waited may begin the next.
    private FieldsWriter work() throws IOException {
        try {
            journal.started();
            execution.timeline().stamp(Phase.EXEC);
            return carryOut();
        } finally {
            letGo();
        }
    }

    private void letGo() {
        try {
            build.close();
        } catch (IOException | RuntimeException e) {
            LOG.log(Level.WARNING, "what build " + execution.id() + " held could not be let go", e);
        }
    }

    private FieldsWriter carryOut() {
        try {
            build.run(this);
            return ended(Wire.REASON_EXITED).u32(Wire.FIELD_STATUS, 0);
        } catch (FailedStep e) {
            note(BuildEvent.Kind.FAILED, e.line(), e.getMessage());
            return failed(e);
        } catch (BuildException e) {
            note(BuildEvent.Kind.FAILED, e.line(), e.getMessage());
            return switch (e.problem()) {
                case HOST, DISK_FULL ->
                    ended(Wire.REASON_SETUP)
                            .u32(Wire.FIELD_ERRNO, EINVAL)
                            .text(Wire.FIELD_WHAT, String.valueOf(e.getMessage()));
                default -> ended(Wire.REASON_EXITED).u32(Wire.FIELD_STATUS, FAILED);
            };
        } catch (InterruptedException e) {
            var by = cancelledBy;
            if (by == null && printedTooMuch) {
                note(BuildEvent.Kind.FAILED, 0, "the build printed more than it may");
                return ended(Wire.REASON_OUTPUT);
            }
            return ended(Wire.REASON_CANCELLED).text(Wire.FIELD_BY, by == null ? "shutdown" : by);
        } catch (RuntimeException | Error e) {
            LOG.log(Level.ERROR, "build " + execution.id() + " failed", e);
            note(BuildEvent.Kind.FAILED, 0, String.valueOf(e.getMessage()));
            return ended(Wire.REASON_SETUP)
                    .u32(Wire.FIELD_ERRNO, EINVAL)
                    .text(Wire.FIELD_WHAT, String.valueOf(e.getMessage()));
        }
    }

    /// A build ends as the command did that ended it.
    private static FieldsWriter failed(FailedStep step) {
        return switch (step.outcome()) {
            case dev.bobbin.runner.Outcome.TimedOut _ -> ended(Wire.REASON_TIME);
            case dev.bobbin.runner.Outcome.OutputLimit _ -> ended(Wire.REASON_OUTPUT);
            default ->
                ended(Wire.REASON_EXITED)
                        .u32(Wire.FIELD_STATUS, Math.max(1, step.outcome().exitCode() & 0xff) << 8);
        };
    }

    private static FieldsWriter ended(int reason) {
        return new FieldsWriter().u32(Wire.FIELD_REASON, reason);
    }

    private void note(BuildEvent.Kind kind, int line, @Nullable String message) {
        happened(new BuildEvent(kind, "", build.located(line, String.valueOf(message)), 0));
    }

    @Override
    public synchronized void happened(BuildEvent event) {
        meters.happened(event);
        try {
            for (var left : lines.rest(event.step())) {
                journal.output(left.stream(), left.data());
            }
            journal.happened(event);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public synchronized void printed(String step, Output.Stream stream, ByteBuffer data) {
        var whole = lines.of(step, stream, data);
        printed += whole.remaining();
        if (printed > build.order().limits().outputBytes()) {
            if (!printedTooMuch) {
                printedTooMuch = true;
                thread.interrupt();
            }
            return;
        }
        try {
            journal.output(stream, whole);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
