package dev.bobbin.scheduler.dispatch;

import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.Ending;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.OutputSink;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.Terminal;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/// A job on its way to its one end. Whoever sees the end first reports it: for a short job that is the thread that
/// answers, so that no second thread stands on the path; for any other a thread of its own, so that a slow reader of
/// the output does not hold the job's place at the gate.
final class DispatchedExecution implements Execution {
    private final Execution job;
    private final Consumer<Ending> atEnd;
    private final AtomicBoolean reported = new AtomicBoolean();
    private final AtomicBoolean attended = new AtomicBoolean();

    DispatchedExecution(Execution job, Consumer<Ending> atEnd) {
        this.job = job;
        this.atEnd = atEnd;
    }

    /// Waits for the end on a thread of its own, unless that is done already.
    void attend() {
        if (reported.get() || !attended.compareAndSet(false, true)) {
            return;
        }
        Thread.ofVirtual().name("end-of-" + job.id()).start(() -> {
            try {
                report(job.await());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    /// Attends a job that was accepted before `nanos` of the monotonic clock, and has not ended.
    ///
    /// @return whether there is nothing to come back for
    boolean attendIfAcceptedBefore(long nanos) {
        if (!reported.get() && job.timeline().acceptedNanos() - nanos >= 0) {
            return false;
        }
        attend();
        return true;
    }

    private void report(Ending ending) {
        if (reported.compareAndSet(false, true)) {
            atEnd.accept(ending);
        }
    }

    @Override
    public void read(long from, boolean follow, OutputSink sink) throws IOException, InterruptedException {
        job.read(from, follow, sink);
        job.ending().ifPresent(this::report);
    }

    @Override
    public Ending await() throws InterruptedException {
        var ending = job.await();
        report(ending);
        return ending;
    }

    @Override
    public void close() {
        job.ending().ifPresentOrElse(this::report, this::attend);
        job.close();
    }

    @Override
    public void signal(int number) {
        job.signal(number);
    }

    @Override
    public boolean hasTerminal() {
        return job.hasTerminal();
    }

    @Override
    public long position() {
        return job.position();
    }

    @Override
    public boolean type(byte[] data, Duration patience) throws IOException, InterruptedException {
        return job.type(data, patience);
    }

    @Override
    public void resize(Terminal size) {
        job.resize(size);
    }

    @Override
    public Optional<SandboxId> sandbox() {
        return job.sandbox();
    }

    @Override
    public JobId id() {
        return job.id();
    }

    @Override
    public String tenant() {
        return job.tenant();
    }

    @Override
    public String kind() {
        return job.kind();
    }

    @Override
    public Optional<Network.Attachment> attachment() {
        return job.attachment();
    }

    @Override
    public Optional<String> seccomp() {
        return job.seccomp();
    }

    @Override
    public ImageReference image() {
        return job.image();
    }

    @Override
    public List<String> command() {
        return job.command();
    }

    @Override
    public Map<String, String> labels() {
        return job.labels();
    }

    @Override
    public Instant createdAt() {
        return job.createdAt();
    }

    @Override
    public Job.OnDisconnect onDisconnect() {
        return job.onDisconnect();
    }

    @Override
    public Optional<Limits> limits() {
        return job.limits();
    }

    @Override
    public Set<String> unenforcedLimits() {
        return job.unenforcedLimits();
    }

    @Override
    public Optional<Ending> ending() {
        return job.ending();
    }

    @Override
    public StartTimeline timeline() {
        return job.timeline();
    }

    @Override
    public long feed(long position, byte[] data, boolean last) throws IOException, InterruptedException {
        return job.feed(position, data, last);
    }

    @Override
    public void cancel(String by) {
        job.cancel(by);
    }
}
