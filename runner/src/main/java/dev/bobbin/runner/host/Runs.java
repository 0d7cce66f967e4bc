package dev.bobbin.runner.host;

import dev.bobbin.image.Identity;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.store.ImageStore;
import dev.bobbin.image.store.Rootfs;
import dev.bobbin.runner.Attempt;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Network.Attachment;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.StartTimeline.Phase;
import dev.bobbin.runner.net.Networks;
import dev.bobbin.runner.sandbox.MountOrder;
import dev.bobbin.runner.sandbox.Order;
import dev.bobbin.runner.sandbox.Sandbox;
import dev.bobbin.runner.sandbox.SandboxException;
import dev.bobbin.runner.sandbox.WarmSandboxes;
import dev.bobbin.runner.volume.Mountings;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Jobs in sandboxes that are made for them and go with them.
final class Runs {
    /* A job's way: lease the image, take a sandbox, give the order, listen. The listening virtual thread owns the sandbox
     * until the job's end is known, then tells its PID 1 to exit; the nursery removes what that leaves. Nothing is
     * written by this process on the way: the journal, which PID 1 writes, is the whole record, and a new server reads it
     * back. */

    private static final System.Logger LOG = System.getLogger(Runs.class.getName());

    private final HostConfig config;
    private final ImageStore images;
    private final Premises premises;
    private final Archive archive;

    Runs(HostConfig config, ImageStore images, Premises premises, Archive archive) {
        this.config = config;
        this.images = images;
        this.premises = premises;
        this.archive = archive;
    }

    /// Starts a job, or says why not.
    Attempt start(Job.Run job, StartTimeline timeline) throws InterruptedException {
        Optional<Rootfs> lease;
        try {
            lease = images.lease(job.tenant(), job.image());
        } catch (ImageException e) {
            return refused(Refusal.Reason.NO_SUCH_IMAGE, "image: " + e.getMessage());
        }
        if (lease.isEmpty()) {
            return refused(Refusal.Reason.NO_SUCH_IMAGE, "image: there is no image \"" + job.image() + "\"");
        }
        var rootfs = lease.get();
        var accepted = false;
        try {
            var attempt = run(job, rootfs, timeline);
            accepted = attempt instanceof Attempt.Accepted;
            return attempt;
        } finally {
            if (!accepted) {
                premises.mountings().release(user(job.id()));
                rootfs.close();
            }
        }
    }

    /// Starts the job on a root file system, which is the job's from then on if it is accepted.
    private Attempt run(Job.Run job, Rootfs rootfs, StartTimeline timeline) throws InterruptedException {
        try {
            var command = command(job, rootfs);
            if (command.isEmpty()) {
                return refused(
                        Refusal.Reason.NO_COMMAND,
                        "command: is absent, and image \"" + job.image() + "\" has no command of its own");
            }
            var user = job.command().user() == null
                    ? rootfs.config().user()
                    : job.command().user();
            var identity = rootfs.identity(user);
            if (identity.isEmpty()) {
                return refused(
                        Refusal.Reason.NO_SUCH_USER,
                        "user: image \"" + job.image() + "\" has no user or group \"" + user + "\"");
            }
            var unfit = premises.unfit(job.limits())
                    .or(() -> premises.filters().unknown(job.isolation().seccomp()))
                    .or(() -> premises.forbidden(job.isolation().rights()));
            if (unfit.isPresent()) {
                return new Attempt.Refused(unfit.get());
            }
            timeline.stamp(Phase.IMAGE);
            var mounts = premises.mountings()
                    .take(job.tenant(), job.mounts(), job.limits().memoryBytes(), user(job.id()));
            return switch (mounts) {
                case Mountings.Answer.Refused(var refusal) -> new Attempt.Refused(refusal);
                case Mountings.Answer.Ready(var orders) -> run(job, command, rootfs, identity.get(), orders, timeline);
            };
        } catch (SandboxException | IOException e) {
            LOG.log(Level.ERROR, "job " + job.id() + " could not be started", e);
            return refused(Refusal.Reason.DEGRADED, "this host cannot make sandboxes at the moment");
        }
    }

    /// How a job is called that uses volumes.
    private static String user(JobId job) {
        return "job " + job;
    }

    private Attempt run(
            Job.Run job,
            List<String> command,
            Rootfs rootfs,
            Identity identity,
            List<MountOrder> mounts,
            StartTimeline timeline)
            throws InterruptedException, IOException {
        var forbidden = premises.networks().forbidden(job.isolation().network());
        if (forbidden.isPresent()) {
            return new Attempt.Refused(forbidden.get());
        }
        premises.precedence().startBegins();
        var taken = premises.warm().take(job.isolation().network());
        timeline.path(taken.path());
        return switch (attach(job, taken)) {
            case Networks.Answer.Ready(var place) ->
                run(job, command, rootfs, identity, mounts, taken, place, timeline);
            case Networks.Answer.Refused(var refusal) -> {
                discard(taken.sandbox());
                started();
                yield new Attempt.Refused(refusal);
            }
        };
    }

    private Networks.Answer attach(Job.Run job, WarmSandboxes.Taken taken) throws InterruptedException {
        var names = List.of(Order.hostname(job.id().toString()), job.id().toString());
        try {
            var network = job.isolation().network();
            return premises.networks().attach(taken.sandbox().id(), job.tenant(), names, network, taken.pid());
        } catch (InterruptedException e) {
            discard(taken.sandbox());
            throw e;
        }
    }

    /// Ends one that was taken and got no order.
    private void discard(Sandbox sandbox) {
        sandbox.close();
        premises.destroy(sandbox.id());
        premises.sweepJobless(sandbox.id());
    }

    private Attempt run(
            Job.Run job,
            List<String> command,
            Rootfs rootfs,
            Identity identity,
            List<MountOrder> mounts,
            WarmSandboxes.Taken taken,
            @Nullable Attachment attachment,
            StartTimeline timeline)
            throws IOException {
        var meta = JobMeta.of(job, rootfs, command, premises.unenforced(job.limits()), timeline, attachment);
        var execution = execution(meta, taken.sandbox(), timeline);
        var grace = job.onDisconnect() == Job.OnDisconnect.KILL ? config.orphanGrace() : null;
        var order = Order.of(
                job,
                command,
                rootfs,
                identity,
                premises.cgroups(),
                meta.encode(),
                grace,
                mounts,
                attachment,
                premises.filters().program(job.isolation().seccomp()));
        var id = execution.sandboxId();
        try {
            taken.sandbox().order(order);
        } catch (IOException e) {
            premises.forget(execution);
            premises.running().remove(id);
            discard(taken.sandbox());
            throw e;
        }
        Thread.ofVirtual().name("job-" + job.id()).start(() -> attend(execution, taken.sandbox(), rootfs));
        return new Attempt.Accepted(execution);
    }

    private static List<String> command(Job.Run job, Rootfs rootfs) {
        if (!job.command().argv().isEmpty()) {
            return job.command().argv();
        }
        var command = new ArrayList<>(rootfs.config().entrypoint());
        command.addAll(rootfs.config().command());
        return command;
    }

    private static Attempt refused(Refusal.Reason reason, String detail) {
        return new Attempt.Refused(new Refusal(reason, detail));
    }

    private LocalExecution execution(JobMeta meta, Sandbox sandbox, StartTimeline timeline) {
        var id = sandbox.id();
        var execution = new LocalExecution(
                meta,
                id,
                premises.files().journal(id),
                premises.precedence(),
                sandbox.own(),
                timeline,
                this::started,
                () -> premises.leaves(id),
                ending -> {
                    if (!meta.volumes().isEmpty()) {
                        premises.mountings().release(user(meta.id()));
                    }
                    premises.losses().ended(meta.outputPolicy(), ending);
                },
                () -> premises.cgroups().evidence(id.toString()));
        premises.started(execution);
        return execution;
    }

    private void started() {
        premises.precedence().startDone();
        premises.warm().refill();
    }

    /// Listens to a job until its end, then lets go of its image.
    private void attend(LocalExecution execution, Sandbox sandbox, AutoCloseable image) {
        try (image) {
            execution.listen(sandbox);
        } catch (Exception e) {
            LOG.log(Level.ERROR, "job " + execution.id() + " is no longer listened to", e);
        } finally {
            premises.attended(execution);
            premises.superseded(execution);
        }
    }

    private void keep(SandboxId id, JobMeta meta) {
        var place = meta.attachment();
        if (place != null) {
            var names = List.of(Order.hostname(meta.id().toString()), meta.id().toString());
            premises.networks().keep(id, meta.tenant(), names, place);
        }
    }

    /// Goes on with the job of a sandbox that may have outlived the server that started it.
    void recover(SandboxId id) {
        try {
            var sandbox = Sandbox.connect(premises.files(), id);
            var contents = Archive.contents(premises.files().journal(id));
            if (contents.isEmpty()) {
                premises.dismiss(sandbox);
                return;
            }
            var meta = JobMeta.decode(contents.get().meta());
            var execution = execution(meta, sandbox, meta.timeline());
            keep(id, meta);
            execution.journal().grew(sandbox.state().position(), null);
            var image = images.hold(meta.layers());
            premises.mountings().keep(meta.tenant(), meta.volumes(), user(meta.id()));
            Thread.ofVirtual().name("job-" + meta.id()).start(() -> {
                var end = sandbox.state().end();
                if (end != null) {
                    execution.ended(sandbox.state().position(), null, end);
                }
                attend(execution, sandbox, image);
            });
            LOG.log(Level.INFO, "job " + meta.id() + " goes on");
        } catch (IOException | SandboxException e) {
            LOG.log(Level.INFO, "sandbox " + id + " did not outlive the last server: " + e.getMessage());
            premises.destroy(id);
            premises.sweepInBackground(id);
            archive.add(id);
        }
    }
}
