package dev.bobbin.scheduler.dispatch;

import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.Sample;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.Volume;
import dev.bobbin.runner.host.Volumes;
import dev.bobbin.runner.host.Volumes.Creation;
import dev.bobbin.scheduler.tenant.Caller;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The volumes, as callers may see and make them. Another tenant's do not exist, unless an administrator names the id.
public final class VolumeDirectory {
    private final Volumes here;

    VolumeDirectory(Volumes here) {
        this.here = here;
    }

    /// Makes an empty volume of the caller's tenant.
    ///
    /// @param bytes what may be in it; 0 if nothing but the disk limits that
    public Creation create(String name, Map<String, String> labels, long bytes, Caller caller) {
        return here.create(caller.tenant().name(), name, labels, bytes);
    }

    /// The caller's volume of this name or id.
    public Optional<Volume> find(String nameOrId, Caller caller) {
        return here.find(caller.tenant().name(), nameOrId)
                .or(() -> SandboxId.parse(nameOrId).flatMap(here::find))
                .filter(volume -> caller.sees(volume.tenant()));
    }

    /// All volumes of the caller's tenant, oldest first.
    public List<Volume> list(Caller caller) {
        return here.list(caller.tenant().name());
    }

    /// Who uses it, each as `sandbox ID` or `job ID`.
    public List<String> users(Volume volume) {
        return here.users(volume);
    }

    /// Bytes and files that are in it; nothing if that is not counted.
    public Optional<Sample.Disk> used(Volume volume) {
        return here.used(volume);
    }

    /// Names of its limits that this machine does not keep.
    public Set<String> unenforcedLimits(Volume volume) {
        return here.unenforcedLimits(volume);
    }

    /// Removes a volume with all that is in it, unless somebody uses it.
    public Optional<Refusal> remove(Volume volume) {
        return here.remove(volume);
    }

    /// Removes all volumes of the caller's tenant that nobody uses, and gives them.
    public List<Volume> prune(Caller caller) {
        var removed = new ArrayList<Volume>();
        for (var volume : list(caller)) {
            if (here.remove(volume).isEmpty()) {
                removed.add(volume);
            }
        }
        return removed;
    }
}
