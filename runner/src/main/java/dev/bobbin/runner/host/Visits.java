package dev.bobbin.runner.host;

import dev.bobbin.runner.FilesException;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.SandboxState;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.sandbox.Order;
import dev.bobbin.runner.sandbox.Sandbox;
import dev.bobbin.runner.sandbox.SandboxException;
import dev.bobbin.runner.volume.Mountings;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Enters sandboxes that last to work on their files. One that does not run gets a PID 1 for the time, and none of its
/// own programs; its state stays what it was, and whoever starts it waits.
final class Visits {
    private static final Duration LEAVING = Duration.ofSeconds(8);

    private final Premises premises;
    private final Launcher launcher;

    Visits(Premises premises, Launcher launcher) {
        this.premises = premises;
        this.launcher = launcher;
    }

    /// A stay in a sandbox; closing it ends the PID 1 that was made for it.
    final class Stay implements AutoCloseable {
        private final LastingSandbox sandbox;
        private final Sandbox connection;
        private final @Nullable LocalExecution own;
        private @Nullable LocalExecution work;

        Stay(LastingSandbox sandbox, Sandbox connection, @Nullable LocalExecution own) {
            this.sandbox = sandbox;
            this.connection = connection;
            this.own = own;
        }

        /// Begins work on files.
        LocalExecution begin(List<String> arguments, Duration time, boolean input) throws FilesException {
            try {
                var begun = launcher.work(sandbox, connection, arguments, time, input);
                work = begun;
                return begun;
            } catch (IOException e) {
                throw new FilesException(FilesException.Reason.UNAVAILABLE, "the sandbox ended at this moment");
            }
        }

        /// How much more may be brought into it.
        DiskRoom room() {
            return premises.room(sandbox.life().record());
        }

        /// Whoever is interrupted does not wait, but it is done.
        @Override
        public void close() {
            var leaving = Thread.ofVirtual().name("leave-" + sandbox.id()).start(this::leave);
            try {
                leaving.join();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }

        private void leave() {
            try {
                if (work != null) {
                    work.await();
                    forget(work);
                }
                if (own != null) {
                    Visits.this.leave(sandbox, own);
                }
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }
    }

    Stay enter(LastingSandbox sandbox) throws FilesException, InterruptedException {
        while (true) {
            var state = sandbox.life().settled();
            if (sandbox.removed().isPresent()) {
                throw new FilesException(
                        FilesException.Reason.UNAVAILABLE,
                        sandbox.removed().get().detail());
            }
            if (state == SandboxState.RUNNING) {
                var entrance = sandbox.life().entrance();
                if (entrance.isPresent()) {
                    return new Stay(sandbox, entrance.get(), null);
                }
            } else {
                var stay = visit(sandbox);
                if (stay.isPresent()) {
                    return stay.get();
                }
            }
        }
    }

    private Optional<Stay> visit(LastingSandbox sandbox) throws FilesException, InterruptedException {
        if (premises.closed().isPresent()) {
            throw new FilesException(
                    FilesException.Reason.UNAVAILABLE, premises.closed().get().detail());
        }
        var rootfs = sandbox.rootfs();
        if (rootfs.isEmpty()) {
            throw new FilesException(
                    FilesException.Reason.UNAVAILABLE,
                    Launcher.imageGone(sandbox).detail());
        }
        var spec = sandbox.spec();
        var mounts = premises.mountings()
                .again(spec.tenant(), spec.mounts(), spec.limits().memoryBytes());
        if (mounts instanceof Mountings.Answer.Refused(var refusal)) {
            throw new FilesException(FilesException.Reason.UNAVAILABLE, refusal.detail());
        }
        if (!sandbox.life().claimVisit()) {
            return Optional.empty();
        }
        var id = sandbox.id();
        try {
            var record = sandbox.life().record();
            var job = JobId.next();
            var timeline = StartTimeline.begin();
            var taken = premises.warm().takeLasting(id, job, record.uidBase(), Network.NONE);
            var meta = JobMeta.of(record.spec(), job, rootfs.get(), premises.unenforcedLasting(record), timeline, null);
            var begun = new CountDownLatch(1);
            var own = launcher.own(meta, taken.sandbox(), timeline, begun::countDown);
            premises.started(own);
            Thread.ofVirtual().name("visit-" + id).start(() -> {
                own.listen(taken.sandbox());
                begun.countDown();
                launcher.execsLost(sandbox);
                if (!premises.isLeft()) {
                    premises.attended(own);
                }
            });
            var orders = ((Mountings.Answer.Ready) mounts).orders();
            taken.sandbox().order(Order.visit(record.spec(), rootfs.get(), premises.cgroups(), meta.encode(), orders));
            if (!begun.await(LEAVING.toMillis(), TimeUnit.MILLISECONDS)
                    || own.ending().isPresent()) {
                leave(sandbox, own);
                throw new FilesException(FilesException.Reason.UNAVAILABLE, "the sandbox cannot be entered");
            }
            return Optional.of(new Stay(sandbox, taken.sandbox(), own));
        } catch (FilesException e) {
            throw e;
        } catch (InterruptedException e) {
            premises.destroy(id);
            premises.sweep(id);
            throw e;
        } catch (SandboxException | IOException e) {
            premises.destroy(id);
            premises.sweep(id);
            throw new FilesException(
                    FilesException.Reason.UNAVAILABLE, "the sandbox cannot be entered: " + e.getMessage());
        }
    }

    private void leave(LastingSandbox sandbox, LocalExecution own) throws InterruptedException {
        own.cancel("visit");
        if (!sandbox.life().awaitAbsent(LEAVING)) {
            premises.destroy(sandbox.id());
        }
        forget(own);
    }

    private void forget(LocalExecution execution) {
        premises.forget(execution);
        premises.files().removeJournal(execution.journalFile());
    }
}
