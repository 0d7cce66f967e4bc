package dev.bobbin.runner.host;

import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.Volume;
import dev.bobbin.runner.volume.VolumeStore;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The volumes of this host, for whoever makes and removes them by name; a mount makes them too. Safe for many threads.
public final class Volumes {
    private final VolumeStore store;

    Volumes(VolumeStore store) {
        this.store = store;
    }

    /// The answer to "make this volume".
    public sealed interface Creation {
        record Created(Volume volume) implements Creation {}

        record Refused(Refusal refusal) implements Creation {}
    }

    /// Makes an empty volume.
    ///
    /// @throws IllegalArgumentException that starts with `name:` if that cannot be a volume's
    public Creation create(String tenant, String name, Map<String, String> labels) {
        return store.create(tenant, name, labels)
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

    /// Who uses it, each as `sandbox ID` or `job ID`.
    public List<String> users(Volume volume) {
        return store.users(volume);
    }

    /// Removes a volume with all that is in it, unless somebody uses it. Its files go away in the background.
    public Optional<Refusal> remove(Volume volume) {
        return store.remove(volume);
    }
}
