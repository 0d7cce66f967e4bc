package dev.bobbin.runner.host;

import dev.bobbin.image.Identity;
import dev.bobbin.runner.Isolation;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Mount;
import dev.bobbin.runner.Network.Attachment;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.OutputSink;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.Stdin;
import dev.bobbin.runner.Volume;
import dev.bobbin.runner.build.BuildException;
import dev.bobbin.runner.build.BuildException.Problem;
import dev.bobbin.runner.build.CacheMounts;
import dev.bobbin.runner.build.Commands;
import dev.bobbin.runner.build.StepMount;
import dev.bobbin.runner.net.Networks;
import dev.bobbin.runner.sandbox.MountOrder;
import dev.bobbin.runner.sandbox.Order;
import dev.bobbin.runner.sandbox.SandboxException;
import dev.bobbin.runner.sandbox.WarmSandboxes;
import dev.bobbin.runner.volume.Mountings;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Runs the commands of builds, each in a sandbox whose files are on the disk until its layer is made.
final class BuildCommands implements Commands, CacheMounts {
    /* Such a sandbox is one that lasts without a record: a server that comes after a crash knows by that that it was being
     * made, and removes it. Its overlay is volatile, so nothing waits for the disk when it ends. */

    private static final System.Logger LOG = System.getLogger(BuildCommands.class.getName());
    /// How long a command that was killed may take to be gone.
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    /// Whose caches are: no tenant has a name like this.
    private static final String CACHES = "build\0";

    private final Premises premises;

    BuildCommands(Premises premises) {
        this.premises = premises;
    }

    @Override
    public Ran run(Command command, OutputSink output) throws InterruptedException {
        try {
            return new Run(command).run(output);
        } catch (SandboxException | IOException e) {
            throw new BuildException(
                    Problem.HOST, command.step().line(), "a command cannot be run here: " + e.getMessage(), e);
        }
    }

    @Override
    public List<Cache> all() {
        return premises.volumes().ownedBy(tenant -> tenant.startsWith(CACHES)).stream()
                .map(volume -> new Cache(volume.tenant().substring(CACHES.length()), volume.name()))
                .toList();
    }

    @Override
    public boolean has(Cache cache) {
        return volume(cache).isPresent();
    }

    @Override
    public OptionalLong bytes(Cache cache) {
        var volume = volume(cache);
        return volume.isEmpty()
                ? OptionalLong.empty()
                : OptionalLong.of(premises.volumes().bytes(volume.get()));
    }

    @Override
    public boolean remove(Cache cache) {
        var volume = volume(cache);
        return volume.isEmpty() || premises.volumes().remove(volume.get()).isEmpty();
    }

    private Optional<Volume> volume(Cache cache) {
        return premises.volumes().find(CACHES + cache.tenant(), cache.name());
    }

    /// One command, from its sandbox to what is left of that.
    private final class Run implements Ran {
        private final Command command;
        private final SandboxId id = SandboxId.next();
        private final JobId own = JobId.next();
        private final List<SandboxId> passing = new ArrayList<>();
        private final Set<String> scaffolding = new HashSet<>(Set.of("proc", "sys", "dev", "etc"));
        private WarmSandboxes.@Nullable Lasting taken;
        private int project;
        private @Nullable Thread listening;
        private @Nullable Outcome outcome;

        Run(Command command) {
            this.command = command;
        }

        Run run(OutputSink output) throws IOException, InterruptedException {
            var identity = identity();
            var ended = false;
            try {
                outcome = run(identity, mounts(), output);
                ended = true;
                return this;
            } finally {
                if (!ended) {
                    premises.destroy(id);
                    if (taken != null && listening == null) {
                        taken.sandbox().close();
                    }
                    awaitEnd();
                    close();
                }
            }
        }

        /// Until nothing runs there any more: only then may others have what it used.
        private void awaitEnd() {
            var waited = listening;
            if (waited == null) {
                return;
            }
            var interrupted = false;
            var deadline = System.nanoTime() + PATIENCE.toNanos();
            while (waited.isAlive() && System.nanoTime() < deadline) {
                try {
                    if (!waited.join(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())))) {
                        LOG.log(Level.WARNING, "sandbox " + id + " of a build does not end");
                    }
                } catch (InterruptedException _) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }

        private Identity identity() {
            var user = command.step().user().isEmpty() ? "root" : command.step().user();
            return command.rootfs()
                    .identity(user)
                    .orElseThrow(() -> new BuildException(
                            Problem.STEP, command.step().line(), "there is no user or group \"" + user + "\""));
        }

        private List<MountOrder> mounts() throws IOException {
            var orders = new ArrayList<MountOrder>();
            var caches = new ArrayList<Mount>();
            for (var mount : command.step().mounts()) {
                switch (mount) {
                    case StepMount.Cache cache -> {
                        use(cache.name());
                        caches.add(new Mount.Volume(cache.name(), cache.target(), cache.readOnly()));
                    }
                    case StepMount.Tmpfs tmpfs -> caches.add(new Mount.Tmpfs(tmpfs.target(), tmpfs.bytes()));
                    case StepMount.Secret _, StepMount.Bind _, StepMount.Text _ -> {}
                }
                made(mount.target());
            }
            var answer = premises.mountings()
                    .take(CACHES + command.tenant(), caches, command.limits().memoryBytes(), user());
            switch (answer) {
                case Mountings.Answer.Ready(var ready) -> orders.addAll(ready);
                case Mountings.Answer.Refused(var refusal) ->
                    throw new BuildException(Problem.HOST, command.step().line(), refusal.detail());
            }
            for (var fixture : command.fixtures()) {
                var as = premises.volumes().take(fixture.content());
                passing.add(as);
                orders.add(MountOrder.passing(as, fixture.target(), fixture.readOnly()));
            }
            return orders;
        }

        /// A cache is made with the size that a build's disk has, and is in use from then on.
        private void use(String name) {
            var size = Math.max(Volume.LEAST_BYTES, command.limits().diskBytes());
            var _ = premises.volumes().use(CACHES + command.tenant(), name, size, user());
        }

        private String user() {
            return "build " + own;
        }

        /// What is made for a mount has this path, and so have the directories above it.
        private void made(String target) {
            var path = Path.of("/").relativize(Path.of("/").resolve(target).normalize());
            for (var above = path; above != null; above = above.getParent()) {
                scaffolding.add(above.toString());
            }
        }

        private Outcome run(Identity identity, List<MountOrder> orders, OutputSink output)
                throws IOException, InterruptedException {
            var step = command.step();
            var forbidden = premises.networks().forbidden(command.network());
            if (forbidden.isPresent()) {
                throw new BuildException(
                        Problem.HOST, step.line(), forbidden.get().detail());
            }
            var job = new Job.Run(
                    own,
                    command.tenant(),
                    command.rootfs().reference(),
                    new dev.bobbin.runner.Command(
                            step.argv(),
                            command.env(),
                            step.workdir().isEmpty() ? "/" : step.workdir(),
                            step.user(),
                            null),
                    new Stdin.Empty(),
                    List.of(),
                    command.limits(),
                    Job.OnDisconnect.KILL,
                    Job.OutputPolicy.KILL,
                    Map.of(),
                    List.of(),
                    Isolation.USUAL,
                    null);
            var timeline = StartTimeline.begin();
            var made = premises.warm().takeLasting(id, own, 0, command.network());
            taken = made;
            if (premises.projects().kept()) {
                project = premises.projects()
                        .take(premises.files().written(id), command.limits().diskBytes());
            }
            var place = attach(made);
            var meta = JobMeta.of(
                    job, command.rootfs(), step.argv(), premises.unenforced(command.limits()), timeline, place);
            var execution = new LocalExecution(
                    meta,
                    id,
                    premises.files().journal(id, own),
                    premises.precedence(),
                    made.sandbox().own(),
                    timeline,
                    () -> {},
                    () -> premises.leaves(id),
                    _ -> {},
                    () -> premises.cgroups().evidence(id.toString()));
            premises.running().put(id, execution);
            var listener = Thread.ofVirtual().name("build-" + own).start(() -> {
                execution.listen(made.sandbox());
                premises.attended(execution);
            });
            listening = listener;
            made.sandbox()
                    .order(Order.building(
                            job, command.rootfs(), identity, premises.cgroups(), meta.encode(), orders, place));
            try {
                var ending = execution.streamTo(output);
                listener.join();
                return ending.outcome();
            } catch (InterruptedException | IOException e) {
                execution.cancel("api");
                premises.destroy(id);
                throw e;
            }
        }

        private @Nullable Attachment attach(WarmSandboxes.Lasting made) throws InterruptedException {
            var names = List.of(Order.hostname(own.toString()), own.toString());
            return switch (premises.networks().attach(id, command.tenant(), names, command.network(), made.pid())) {
                case Networks.Answer.Ready(var place) -> place;
                case Networks.Answer.Refused(var refusal) ->
                    throw new BuildException(Problem.HOST, command.step().line(), refusal.detail());
            };
        }

        @Override
        public Outcome outcome() {
            return java.util.Objects.requireNonNull(outcome);
        }

        @Override
        public Path upper() {
            return premises.files().upper(id);
        }

        @Override
        public int uidBase() {
            return java.util.Objects.requireNonNull(taken).uidBase();
        }

        @Override
        public Set<String> scaffolding() {
            return scaffolding;
        }

        @Override
        public void close() {
            premises.mountings().release(user());
            for (var each : passing) {
                try {
                    premises.volumes().discarded(each);
                } catch (IOException e) {
                    LOG.log(Level.WARNING, "files of a build stay until the next start: " + e.getMessage());
                }
            }
            var made = taken;
            if (made != null) {
                premises.discard(id, made.uidBase(), project);
            }
        }
    }
}
