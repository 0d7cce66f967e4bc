package dev.bobbin.runner.host;

import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.Ending;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.OutputSink;
import dev.bobbin.runner.RequestKey;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.StartTimeline.Phase;
import dev.bobbin.runner.Terminal;
import dev.bobbin.runner.cgroup.Evidence;
import dev.bobbin.runner.journal.Journal;
import dev.bobbin.runner.journal.Precedence;
import dev.bobbin.runner.sandbox.Sandbox;
import dev.bobbin.runner.sandbox.SandboxProcess;
import dev.bobbin.runner.wire.Fields;
import dev.bobbin.runner.wire.Wire;
import dev.bobbin.runner.wire.WireException;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A job on this host: its journal, and as long as it runs the connection to its sandbox.
final class LocalExecution implements Execution, Sandbox.Listener {
    private static final System.Logger LOG = System.getLogger(LocalExecution.class.getName());

    private static final int SIGKILL = 9;
    /// What PID 1 gives a start, and what it may take to end everything.
    private static final long OVERDUE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final JobMeta meta;
    private final SandboxId sandboxId;
    private final Path journalFile;
    private final @Nullable SandboxProcess process;
    private final StartTimeline timeline;
    private final boolean recovered;
    private final Runnable started;
    private final Runnable beforeExit;
    private final Consumer<Ending> atEnd;
    private final AtomicBoolean finished = new AtomicBoolean();
    private final Supplier<Evidence> counters;
    private final long orderedNanos = System.nanoTime();
    private final CompletableFuture<Integer> reaped = new CompletableFuture<>();
    private final Journal journal;
    private final StdinFeed stdin;
    private boolean hasStarted;
    private volatile boolean released;
    private volatile long cancelledNanos = Long.MAX_VALUE;
    private volatile long unrecordedNanos = Long.MAX_VALUE;
    private volatile @Nullable String cancelledBy;
    private volatile @Nullable Consumer<String> canceller;

    /// @param process `null` if the job had ended before this server began
    /// @param started called once the job's first instruction has run, or its end is known
    /// @param beforeExit called when the job has ended, before its PID 1 is told to exit
    /// @param atEnd told once how it ended, before anybody else is, unless that was before this server began
    /// @param counters reads what the kernel counted, for a job whose PID 1 cannot say it
    LocalExecution(
            JobMeta meta,
            SandboxId sandboxId,
            Path journal,
            Precedence precedence,
            @Nullable SandboxProcess process,
            StartTimeline timeline,
            Runnable started,
            Runnable beforeExit,
            Consumer<Ending> atEnd,
            Supplier<Evidence> counters) {
        this.meta = meta;
        this.sandboxId = sandboxId;
        this.journalFile = journal;
        this.process = process;
        this.timeline = timeline;
        this.started = started;
        this.beforeExit = beforeExit;
        this.atEnd = atEnd;
        this.counters = counters;
        this.journal = new Journal(journal, precedence, this::caughtUp);
        this.recovered = process != null && process.state().word() != Wire.STATE_PARKED;
        this.stdin = new StdinFeed(process == null ? 0 : process.state().stdinTaken());
    }

    /// Has `how` end it, as a job that is no process.
    void cancelledThrough(Consumer<String> how) {
        canceller = how;
    }

    SandboxId sandboxId() {
        return sandboxId;
    }

    Path journalFile() {
        return journalFile;
    }

    @Override
    public Optional<SandboxId> sandbox() {
        return meta.kind().equals(JobMeta.RUN) || meta.kind().equals(JobMeta.BUILD)
                ? Optional.empty()
                : Optional.of(sandboxId);
    }

    @Override
    public Optional<Network.Attachment> attachment() {
        return Optional.ofNullable(meta.attachment());
    }

    @Override
    public Optional<String> seccomp() {
        return Optional.ofNullable(meta.seccomp());
    }

    /// Whether it is what somebody asked for, and no part of a sandbox or of work on its files.
    boolean isAsked() {
        return !meta.kind().equals(JobMeta.SANDBOX) && !meta.kind().equals(JobMeta.FILES);
    }

    /// The use of a key that began it.
    Optional<RequestKey.Use> use() {
        var key = meta.key();
        return key == null
                ? Optional.empty()
                : Optional.of(new RequestKey.Use.ByJob(key, meta.tenant(), meta.createdAt(), meta.id()));
    }

    Journal journal() {
        return journal;
    }

    @Override
    public JobId id() {
        return meta.id();
    }

    @Override
    public String tenant() {
        return meta.tenant();
    }

    @Override
    public String kind() {
        return meta.kind();
    }

    @Override
    public ImageReference image() {
        return meta.image();
    }

    @Override
    public List<String> command() {
        return meta.command();
    }

    @Override
    public Map<String, String> labels() {
        return meta.labels();
    }

    @Override
    public Instant createdAt() {
        return meta.createdAt();
    }

    @Override
    public Job.OnDisconnect onDisconnect() {
        return meta.onDisconnect();
    }

    @Override
    public Optional<Limits> limits() {
        return Optional.ofNullable(meta.limits());
    }

    @Override
    public Set<String> unenforcedLimits() {
        return meta.unenforcedLimits();
    }

    @Override
    public Optional<Ending> ending() {
        return journal.ending();
    }

    @Override
    public StartTimeline timeline() {
        return timeline;
    }

    @Override
    public Ending await() throws InterruptedException {
        return journal.await();
    }

    @Override
    public void read(long from, boolean follow, OutputSink sink) throws IOException, InterruptedException {
        journal.read(from, follow, new OutputSink() {
            @Override
            public void accept(Output output) throws IOException {
                if (output instanceof Output.Bytes bytes && !recovered && process != null) {
                    timeline.stamp(Phase.FIRST_BYTE, monotonic(bytes.timeNanos()));
                }
                sink.accept(output);
            }

            @Override
            public void flush() throws IOException {
                sink.flush();
            }
        });
    }

    /// What the monotonic clock showed when the wall clock showed `wallNanos`, not long ago.
    private static long monotonic(long wallNanos) {
        var now = Instant.now();
        var nowNanos = TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano();
        return System.nanoTime() - (nowNanos - wallNanos);
    }

    /// Listens to `sandbox`, whose own process this is, until its end is known. On the job's own virtual thread.
    void listen(Sandbox sandbox) {
        try (sandbox) {
            sandbox.listen(this);
        } catch (IOException e) {
            LOG.log(Level.WARNING, "the connection to sandbox " + sandboxId + " broke: " + e.getMessage());
        }
        lost();
    }

    @Override
    public void grew(long position, @Nullable ByteBuffer data) {
        journal.grew(position, data);
        noteStarted();
    }

    /// On the listening thread only.
    private void noteStarted() {
        if (!hasStarted) {
            hasStarted = true;
            started.run();
        }
    }

    @Override
    public void ended(long position, @Nullable ByteBuffer data, Fields end) {
        end(position, data, verdict(end));
    }

    @SuppressWarnings("ThreadPriorityCheck") // nothing depends on it but the time to the answer
    private void end(long position, @Nullable ByteBuffer data, Ending ending) {
        finish(position, data, ending);
        // who waits for the end goes first: what follows wakes processes that would take the processor from the answer
        Thread.yield();
        noteStarted();
        beforeExit.run();
        try {
            if (process != null) {
                process.recorded();
            }
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "sandbox " + sandboxId + " was gone already", e);
        }
    }

    @Override
    public void endedUnrecorded(long position, Fields end) {
        unrecordedNanos = System.nanoTime();
    }

    /// Ends a job whose last output could not be written since `nanos` of the monotonic clock: what is missing is said,
    /// and its sandbox is let go.
    void giveUpRecord(long nanos) {
        if (unrecordedNanos != Long.MAX_VALUE && unrecordedNanos - nanos < 0 && ending().isEmpty()) {
            LOG.log(Level.WARNING, "the end of job " + meta.id() + " could not be written to its journal");
            end(0, null, abrupt(new Outcome.SandboxError("its last output is lost: the host's disk is full")));
        }
    }

    private Ending verdict(Fields end) {
        try {
            return Verdict.read(end, timeline);
        } catch (WireException e) {
            LOG.log(Level.ERROR, "the end of job " + meta.id() + " cannot be read", e);
            return abrupt(new Outcome.SandboxError("its end record cannot be read"));
        }
    }

    /// Notes the end of an exec whose sandbox ended without saying how.
    void lostWithSandbox() {
        if (ending().isEmpty()) {
            finish(0, null, abrupt(new Outcome.Cancelled("sandbox")));
        }
    }

    /// Notes the end of a job whose sandbox vanished without saying how.
    void lost() {
        if (ending().isEmpty()) {
            finish(0, null, Verdict.lost(silentEnd(), counters.get(), timeline));
        }
    }

    /// Why a PID 1 ended that said nothing: it was destroyed because it did not answer, or somebody else did that.
    private Outcome silentEnd() {
        var by = cancelledBy;
        if (by != null) {
            return new Outcome.Cancelled(by);
        }
        if (overdue(System.nanoTime())) {
            return new Outcome.TimedOut("time");
        }
        try {
            var signal = reaped.get(1, TimeUnit.SECONDS) & 0x7f;
            return signal == SIGKILL
                    ? new Outcome.Killed(signal, "host")
                    : new Outcome.SandboxError("its PID 1 ended with signal " + signal);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return new Outcome.HostLost();
        } catch (ExecutionException | TimeoutException _) {
            return new Outcome.HostLost();
        }
    }

    /// Notes the status of wait(2) of its PID 1.
    void reaped(int status) {
        reaped.complete(status);
    }

    private Ending abrupt(Outcome outcome) {
        return new Ending(outcome, Ending.Total.NOTHING, Ending.Total.NOTHING, Ending.Usage.UNKNOWN, timeline);
    }

    private void finish(long position, @Nullable ByteBuffer data, Ending ending) {
        if (!finished.getAndSet(true)) {
            atEnd.accept(ending);
        }
        journal.finish(position, data, ending);
        stdin.taken(ending.usage().stdinBytes()); // which its PID 1 may not have said before
        stdin.end();
    }

    @Override
    public void stdinTaken(long position) {
        stdin.taken(position);
    }

    @Override
    public void refused(String problem) {
        finish(0, null, abrupt(new Outcome.SandboxError(problem)));
        noteStarted();
        beforeExit.run();
    }

    @Override
    public long feed(long position, byte[] data, boolean last) throws IOException, InterruptedException {
        return stdin.feed(fedProcess(), position, data, last);
    }

    @Override
    public boolean type(byte[] data, Duration patience) throws IOException, InterruptedException {
        return stdin.append(fedProcess(), data, patience);
    }

    @Override
    public boolean hasTerminal() {
        return meta.terminal();
    }

    @Override
    public long position() {
        return journal.position();
    }

    private SandboxProcess fedProcess() {
        if (process == null || ending().isPresent()) {
            throw new IllegalArgumentException("stdin: the job has ended");
        }
        if (!meta.stdinOpen()) {
            throw new IllegalArgumentException("stdin: was not left open when the job was started");
        }
        return process;
    }

    @Override
    public void resize(Terminal size) {
        if (!meta.terminal()) {
            throw new IllegalArgumentException("terminal: the job has none");
        }
        if (process == null || ending().isPresent()) {
            return;
        }
        try {
            process.resize(size);
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "sandbox " + sandboxId + " was gone already", e);
        }
    }

    private void caughtUp(long position) {
        if (position < meta.blockAfterBytes() || process == null || ending().isPresent()) {
            return;
        }
        try {
            process.consumed(position);
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "sandbox " + sandboxId + " was gone already", e);
        }
    }

    @Override
    public void cancel(String by) {
        var how = canceller;
        if (how != null && ending().isEmpty()) {
            cancelledBy = by;
            how.accept(by);
            return;
        }
        if (process == null || ending().isPresent()) {
            return;
        }
        cancelledBy = by;
        cancelledNanos = System.nanoTime();
        try {
            process.cancel(by);
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "sandbox " + sandboxId + " was gone already", e);
        }
    }

    /// Sends it a signal, if it still runs.
    @Override
    public void signal(int number) {
        if (process == null || ending().isPresent()) {
            return;
        }
        try {
            process.signal(number);
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "sandbox " + sandboxId + " was gone already", e);
        }
    }

    /// Whether an earlier server started it.
    boolean recovered() {
        return recovered;
    }

    /// Whether its caller must be present, was lost with an earlier server, and nobody has followed it for `nanos`.
    boolean abandoned(long nanos) {
        return recovered && meta.onDisconnect() == Job.OnDisconnect.KILL && journal.unfollowedNanos() > nanos;
    }

    /// Whether it was told to end before `nanos` of the monotonic clock and has not.
    boolean defiesCancelSince(long nanos) {
        return cancelledNanos != Long.MAX_VALUE && cancelledNanos - nanos < 0 && ending().isEmpty();
    }

    /// Whether its limit of time passed so long before `nanos` of the monotonic clock that its PID 1 cannot be
    /// keeping it.
    boolean overdue(long nanos) {
        var limits = meta.limits();
        return limits != null
                && process != null
                && ending().isEmpty()
                && nanos - orderedNanos > limits.time().toNanos() + OVERDUE_NANOS;
    }

    /// Whether whoever started it has read what it wanted, so that its journal may go by age and size.
    boolean released() {
        return released || recovered || process == null;
    }

    @Override
    public void close() {
        released = true;
    }
}
