package dev.bobbin.runner.host;

import dev.bobbin.image.ImageException;
import dev.bobbin.image.store.ImageStore;
import dev.bobbin.image.store.Rootfs;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.SandboxState;
import dev.bobbin.runner.sandbox.Sandbox;
import dev.bobbin.runner.sandbox.SandboxException;
import dev.bobbin.runner.sandbox.SandboxRecord;
import dev.bobbin.runner.wire.Wire;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.NoSuchFileException;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Finds the sandboxes that last again after a restart of the server: what their records say, compared with what lives.
final class Reunion {
    private static final System.Logger LOG = System.getLogger(Reunion.class.getName());

    private final Sandboxes sandboxes;
    private final Premises premises;
    private final Archive archive;
    private final ImageStore images;

    /// @param archive given the journals of processes that run no more
    Reunion(Sandboxes sandboxes, Premises premises, Archive archive, ImageStore images) {
        this.sandboxes = sandboxes;
        this.premises = premises;
        this.archive = archive;
        this.images = images;
    }

    /// @param live sandboxes whose PID 1 may exist
    void with(List<SandboxId> live) throws IOException {
        for (var id : premises.files().lasting()) {
            try {
                var record = SandboxRecord.read(premises.files().record(id));
                meet(record, live.contains(id));
            } catch (NoSuchFileException _) {
                LOG.log(Level.INFO, "sandbox " + id + " was being made when the last server ended");
                removeHalfMade(id);
                premises.discard(id, 0, 0);
            } catch (IOException e) {
                LOG.log(Level.WARNING, "sandbox " + id + " is left alone: " + e.getMessage());
            }
        }
    }

    /// Nobody was ever told of it.
    private void removeHalfMade(SandboxId id) {
        premises.destroy(id);
        premises.sweepInBackground(id);
    }

    private void meet(SandboxRecord record, boolean mayLive) throws IOException {
        var id = record.spec().id();
        var held = images.hold(record.layers());
        var lease = lease(record);
        var life = new SandboxLife(record, premises.files().record(id), sandboxes.events());
        var sandbox = new LastingSandbox(sandboxes, life, lease.orElse(null), () -> {
            lease.ifPresent(Rootfs::close);
            held.close();
        });
        premises.nursery().keep(record.uidBase());
        var connection = mayLive && !isOnlyVisited(record) ? connect(id) : Optional.<Sandbox>empty();
        if (connection.isEmpty() && !record.started()) {
            sandbox.releaseImage();
            removeHalfMade(id);
            premises.discard(record);
            return;
        }
        var known = new HashSet<>(Set.of(record.own()));
        if (connection.isPresent()) {
            known.addAll(connection.get().execs().keySet());
            sandboxes.adopt(sandbox, connection.get());
        } else {
            sandboxes.known(sandbox);
            if (mayLive) {
                life.remains();
                premises.destroy(id);
                premises.sweepInBackground(id);
            }
            rest(life, record);
        }
        for (var job : premises.files().journaled(id)) {
            if (!known.contains(job)) {
                archive.add(id, premises.files().journal(id, job));
            }
        }
    }

    /// Whether what may live of it was made to work on its files, for a caller who is gone.
    private boolean isOnlyVisited(SandboxRecord record) throws IOException {
        return isAtRest(record)
                && Archive.contents(premises.files().journal(record.spec().id(), record.own()))
                        .filter(contents -> contents.end() != null)
                        .isPresent();
    }

    private static boolean isAtRest(SandboxRecord record) {
        return record.state() == SandboxState.STOPPED || record.state() == SandboxState.FAILED;
    }

    private Optional<Rootfs> lease(SandboxRecord record) {
        try {
            return images.lease(record.spec().tenant(), record.spec().image())
                    .filter(rootfs -> isUnchanged(record, rootfs));
        } catch (ImageException e) {
            LOG.log(Level.WARNING, "the image of sandbox " + record.spec().id() + " cannot be used", e);
            return Optional.empty();
        }
    }

    /// The machine's own trees are what they are now; of any other image the layers are the same for ever.
    private static boolean isUnchanged(SandboxRecord record, Rootfs rootfs) {
        if (record.spec().image().isHost() || rootfs.layers().equals(record.layers())) {
            return true;
        }
        rootfs.close();
        return false;
    }

    /// The PID 1 of a sandbox that has had its order.
    private Optional<Sandbox> connect(SandboxId id) {
        try {
            var sandbox = Sandbox.connect(premises.files(), id);
            if (sandbox.state().word() != Wire.STATE_PARKED) {
                return Optional.of(sandbox);
            }
            sandbox.close();
        } catch (IOException | SandboxException e) {
            LOG.log(Level.INFO, "sandbox " + id + " did not outlive the last server: " + e.getMessage());
        }
        return Optional.empty();
    }

    /// It does not run. If it did when the last server ended, nobody knows how that ended but its journal.
    private void rest(SandboxLife life, SandboxRecord record) {
        var id = record.spec().id();
        Archive.entry(id, premises.files().journal(id, record.own()), premises.precedence())
                .ifPresent(entry -> {
                    premises.known(entry.execution());
                    life.lastRun(entry.execution());
                });
        if (!isAtRest(record)) {
            life.ended(null);
        }
    }
}
