package dev.bobbin.runner.host;

import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.Sample;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.Volume;
import dev.bobbin.runner.volume.VolumeStore;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The volumes of this host, for whoever makes and removes them by name; a mount makes them too. Safe for many threads.
public final class Volumes {
    private final VolumeStore store;
    private final boolean allowUnenforced;

    /// @param allowUnenforced whether a size that would not hold may be given
    Volumes(VolumeStore store, boolean allowUnenforced) {
        this.store = store;
        this.allowUnenforced = allowUnenforced;
    }

    /// The answer to "make this volume".
    public sealed interface Creation {
        record Created(Volume volume) implements Creation {}

        record Refused(Refusal refusal) implements Creation {}
    }

    /// Makes an empty volume.
    ///
    /// @param bytes what may be in it; 0 if nothing but the disk limits that
    /// @throws IllegalArgumentException that starts with `name:` or `size:` if that cannot be a volume's
    public Creation create(String tenant, String name, Map<String, String> labels, long bytes) {
        if (bytes > 0 && !store.keepsSizes() && !allowUnenforced) {
            return new Creation.Refused(new Refusal(
                    Refusal.Reason.NO_HOST_FITS,
                    "size: the file system of this host's data directory keeps no sizes of volumes; put it on ext4 or XFS"
                            + " mounted with prjquota, or accept it with host.allow-unenforced-limits: on",
                    "size"));
        }
        return store.create(tenant, name, labels, bytes)
                .<Creation>map(Creation.Created::new)
                .orElseGet(() -> new Creation.Refused(
                        new Refusal(Refusal.Reason.NAME_TAKEN, "name: there is a volume \"" + name + "\" already")));
    }

    /// The volume of this tenant with this name or id.
    public Optional<Volume> find(String tenant, String nameOrId) {
        return store.find(tenant, nameOrId);
    }

    /// The volume of this id, whoever owns it.
    public Optional<Volume> find(SandboxId id) {
        return store.find(id);
    }

    /// Every volume of this tenant, oldest first.
    public List<Volume> list(String tenant) {
        return store.list(tenant);
    }

    /// Bytes and files that are in it; nothing if that is not counted.
    public Optional<Sample.Disk> used(Volume volume) {
        return store.used(volume).map(use -> new Sample.Disk(use.bytes(), use.inodes()));
    }

    /// Names of its limits that do not hold.
    public Set<String> unenforcedLimits(Volume volume) {
        return store.keepsSize(volume) ? Set.of() : Set.of("size");
    }

    /// Who uses it, each as `sandbox ID` or `job ID`.
    public List<String> users(Volume volume) {
        return store.users(volume);
    }

    /// Removes a volume with all that is in it, unless somebody uses it. Its files go away in the background.
    public Optional<Refusal> remove(Volume volume) {
        return store.remove(volume);
    }
}
