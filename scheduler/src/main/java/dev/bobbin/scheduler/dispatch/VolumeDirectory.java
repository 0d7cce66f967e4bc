package dev.bobbin.scheduler.dispatch;

import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.Volume;
import dev.bobbin.runner.host.Volumes;
import dev.bobbin.runner.host.Volumes.Creation;
import dev.bobbin.scheduler.tenant.Caller;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The volumes, as callers may see and make them. Another tenant's do not exist, unless an administrator names the id.
public final class VolumeDirectory {
    private final Volumes here;

    VolumeDirectory(Volumes here) {
        this.here = here;
    }

    /// Makes an empty volume of the caller's tenant.
    public Creation create(String name, Map<String, String> labels, Caller caller) {
        return here.create(caller.tenant().name(), name, labels);
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
