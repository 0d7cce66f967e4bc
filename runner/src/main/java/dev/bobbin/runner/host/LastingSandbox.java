package dev.bobbin.runner.host;

import dev.bobbin.image.ImageReference;
import dev.bobbin.image.store.Rootfs;
import dev.bobbin.runner.Ending;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Mount;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.Network.Attachment;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.Rights;
import dev.bobbin.runner.Sample;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.SandboxSpec;
import dev.bobbin.runner.SandboxState;
import dev.bobbin.runner.Sysctls;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.Inet4Address;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// A sandbox that lasts until it is removed: it runs, is stopped and started again with the files that it has, and runs
/// any number of execs. Safe for many threads. What it is told to do is done when a method returns, unless it says
/// otherwise.
public final class LastingSandbox {
    private static final System.Logger LOG = System.getLogger(LastingSandbox.class.getName());
    private static final int SIGKILL = 9;

    private final Sandboxes sandboxes;
    private final SandboxLife life;
    private final @Nullable Rootfs rootfs;
    private final AutoCloseable image;
    private final Map<JobId, LocalExecution> execs = new ConcurrentHashMap<>();
    private volatile long activeNanos = System.nanoTime();

    /// @param rootfs its image, leased for as long as it exists; `null` if that is not there any more
    /// @param image what keeps the layers of its image, closed with it
    LastingSandbox(Sandboxes sandboxes, SandboxLife life, @Nullable Rootfs rootfs, AutoCloseable image) {
        this.sandboxes = sandboxes;
        this.life = life;
        this.rootfs = rootfs;
        this.image = image;
    }

    SandboxLife life() {
        return life;
    }

    SandboxSpec spec() {
        return life.record().spec();
    }

    /// Lets go of its image.
    void releaseImage() {
        try {
            image.close();
        } catch (Exception e) {
            LOG.log(Level.WARNING, "the image of sandbox " + id() + " is still held", e);
        }
    }

    Optional<Rootfs> rootfs() {
        return Optional.ofNullable(rootfs);
    }

    /// The signal by which its image wants to be asked to end, as the image writes it; nothing if it names none.
    public Optional<String> stopSignal() {
        return rootfs().map(rootfs -> rootfs.config().stopSignal());
    }

    /// Notes of its image's maker; none if that image is not there any more.
    public Map<String, String> imageLabels() {
        return rootfs().map(rootfs -> rootfs.config().labels()).orElse(Map.of());
    }

    public SandboxId id() {
        return spec().id();
    }

    public String tenant() {
        return spec().tenant();
    }

    public Optional<String> name() {
        return Optional.ofNullable(spec().name());
    }

    /// Short names that it has for ever besides its id and its name; the first one is of eight hexadecimal digits.
    public List<String> aliases() {
        return life.record().aliases();
    }

    public ImageReference image() {
        return spec().image();
    }

    /// The command of its own process; empty if it idles.
    public List<String> command() {
        return spec().command().argv();
    }

    public Map<String, String> labels() {
        return spec().labels();
    }

    public Limits limits() {
        return spec().limits();
    }

    /// What is seen in it besides its image.
    public List<Mount> mounts() {
        return spec().mounts();
    }

    /// Settings of the kernel in its own namespaces.
    public Sysctls sysctls() {
        return spec().isolation().sysctls();
    }

    /// The name of the profile of system calls that holds in it besides the one that all have.
    public Optional<String> seccomp() {
        return Optional.ofNullable(spec().isolation().seccomp());
    }

    /// What its processes may besides what all may.
    public Rights rights() {
        return spec().isolation().rights();
    }

    /// Its network; while it runs, with the ports of this machine that were chosen.
    public Network network() {
        return attachment()
                .<Network>map(Attachment::bridge)
                .orElseGet(() -> spec().isolation().network());
    }

    /// Its address on the bridge while it runs.
    public Optional<Inet4Address> address() {
        return attachment().map(Attachment::address);
    }

    /// As the run that is now notes it, so that it is known too while a new server finds its bridge.
    private Optional<Attachment> attachment() {
        return switch (state()) {
            case RUNNING, STOPPING -> own().flatMap(Execution::attachment);
            case CREATING, STOPPED, FAILED -> Optional.empty();
        };
    }

    /// Its way out, and its name server, while it runs with a bridge.
    public Optional<Inet4Address> gateway() {
        return attachment().map(Attachment::gateway);
    }

    /// Those of its limits that this machine cannot keep, by name.
    public Set<String> unenforcedLimits() {
        return sandboxes.unenforced(this);
    }

    public Instant createdAt() {
        return life.record().createdAt();
    }

    public SandboxState state() {
        return life.record().state();
    }

    /// Why it is `failed`.
    public Optional<String> problem() {
        return Optional.ofNullable(life.record().problem());
    }

    /// This machine's number of its own process, or of its PID 1 if it idles; nothing unless it runs.
    public OptionalLong pid() {
        var record = life.record();
        if (record.state() != SandboxState.RUNNING || record.pid() == 0) {
            return OptionalLong.empty();
        }
        return command().isEmpty() ? OptionalLong.of(record.pid()) : HostProcesses.firstChild(record.pid());
    }

    /// What it uses now; nothing unless it runs. Reads some twenty small files of the kernel.
    public Optional<Sample> sample() {
        var record = life.record();
        if (record.state() != SandboxState.RUNNING || record.pid() == 0) {
            return Optional.empty();
        }
        try {
            return Optional.of(sandboxes.sample(record));
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "sandbox " + id() + " ended at this moment", e);
            return Optional.empty();
        }
    }

    /// When it will be removed by itself.
    public Optional<Instant> expiresAt() {
        var ttl = spec().ttl();
        return ttl == null ? Optional.empty() : Optional.of(createdAt().plus(ttl));
    }

    public Optional<Duration> idleTimeout() {
        return Optional.ofNullable(spec().idleTimeout());
    }

    /// The run of its own process that is now or was the last: what it printed and how it ended. One that idles prints
    /// nothing.
    public Optional<Execution> own() {
        return life.own().map(Execution.class::cast);
    }

    /// How its last run ended; nothing while it runs.
    public Optional<Ending> ending() {
        return own().flatMap(Execution::ending);
    }

    /// Execs that run in it now.
    public List<Execution> execs() {
        return execs.values().stream()
                .filter(exec -> !exec.kind().equals(JobMeta.FILES))
                .map(Execution.class::cast)
                .toList();
    }

    /// Its files, whether it runs or not.
    public FileTree files() {
        return sandboxes.files(this);
    }

    /// Starts it if it does not run.
    ///
    /// @return why that could not be done
    public Optional<Refusal> start() throws InterruptedException {
        return sandboxes.start(this);
    }

    /// Sends its own process `signal`, or every process if it idles, waits for `grace` and kills what is left.
    public Optional<Refusal> stop(int signal, Duration grace) throws InterruptedException {
        return stop(signal, grace, "api");
    }

    Optional<Refusal> stop(int signal, Duration grace, String by) throws InterruptedException {
        if (life.settled() != SandboxState.RUNNING) {
            return removed();
        }
        var to = life.leaveRunning(grace);
        if (to.isPresent()) {
            try {
                to.get().stop(signal, grace, by);
            } catch (IOException e) {
                LOG.log(Level.DEBUG, "sandbox " + id() + " was gone already", e);
            }
        }
        life.settled();
        return Optional.empty();
    }

    /// Sends its own process a signal, or every process if it idles; SIGKILL ends the sandbox.
    public Optional<Refusal> signal(int signal) throws InterruptedException {
        var running = life.settled() == SandboxState.RUNNING ? life.own().orElse(null) : null;
        if (running == null) {
            var gone = removed();
            return gone.isPresent() ? gone : Optional.of(notRunning());
        }
        if (signal == SIGKILL) {
            life.leaveRunning(Duration.ZERO);
            running.cancel("api");
            life.settled();
        } else {
            running.signal(signal);
        }
        return Optional.empty();
    }

    /// Stops it as [#stop] does, and starts it.
    public Optional<Refusal> restart(int signal, Duration grace) throws InterruptedException {
        var refusal = stop(signal, grace);
        return refusal.isPresent() ? refusal : start();
    }

    /// Removes it with everything in it, whatever state it is in. Its files are out of sight when this returns and go
    /// away in the background.
    public void remove() throws InterruptedException {
        sandboxes.remove(this);
    }

    /// Gives it another name, or none.
    public Optional<Refusal> rename(@Nullable String name) {
        return sandboxes.rename(this, name);
    }

    Refusal notRunning() {
        var state = state();
        return new Refusal(
                Refusal.Reason.SANDBOX_NOT_RUNNING,
                "sandbox: is " + state.word() + (state == SandboxState.STOPPED ? "; start it first" : ""));
    }

    /// Why nothing can be done to it any more, if so.
    Optional<Refusal> removed() {
        return life.isLeaving() ? Optional.of(Sandboxes.noSuch(id().toString())) : Optional.empty();
    }

    void execStarts(LocalExecution execution) {
        execs.put(execution.id(), execution);
    }

    void execEnded(LocalExecution execution) {
        execs.remove(execution.id());
        isActive();
    }

    Collection<LocalExecution> running() {
        return execs.values();
    }

    /// Something is done in it at this moment.
    void isActive() {
        activeNanos = System.nanoTime();
    }

    /// Whether it has lived as long as it may.
    boolean expired(Instant now) {
        return expiresAt().filter(now::isAfter).isPresent();
    }

    /// Whether nothing was run in it for as long as it allows.
    boolean idles(long nanos) {
        var timeout = spec().idleTimeout();
        return timeout != null
                && state() == SandboxState.RUNNING
                && execs.isEmpty()
                && nanos - activeNanos > timeout.toNanos();
    }
}
