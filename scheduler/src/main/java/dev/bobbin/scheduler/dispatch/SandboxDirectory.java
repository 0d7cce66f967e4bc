package dev.bobbin.scheduler.dispatch;

import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.RequestKey;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.SandboxSpec;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.host.HostRuntime;
import dev.bobbin.runner.host.LastingSandbox;
import dev.bobbin.runner.host.SandboxEvents;
import dev.bobbin.runner.host.Sandboxes;
import dev.bobbin.runner.host.Sandboxes.Creation;
import dev.bobbin.runner.host.SharedPaths;
import dev.bobbin.scheduler.cluster.SingleHostCluster;
import dev.bobbin.scheduler.placement.Host;
import dev.bobbin.scheduler.placement.Placement;
import dev.bobbin.scheduler.tenant.Caller;
import java.io.IOException;
import java.net.Inet4Address;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The sandboxes that last, as callers may see and make them. Another tenant's do not exist, unless an administrator
/// names the id. What is found does itself what it is told.
public final class SandboxDirectory {
    private final HostRuntime runtime;
    private final Sandboxes here;
    private final SingleHostCluster cluster;
    private final PublishConfig publish;
    private final Turns turns;
    private final Placement placement = new Placement();

    /// Those of `runtime`.
    ///
    /// @param publish where callers who are no administrators may publish ports
    /// @param turns of requests with keys
    SandboxDirectory(HostRuntime runtime, SingleHostCluster cluster, PublishConfig publish, Turns turns) {
        this.turns = turns;
        this.publish = publish;
        this.runtime = runtime;
        this.here = runtime.sandboxes();
        this.cluster = cluster;
    }

    /// The volumes that sandboxes share.
    public VolumeDirectory volumes() {
        return new VolumeDirectory(runtime.volumes());
    }

    /// Makes a sandbox and starts it, unless it fits nowhere, waiting in line if it must. If its key has begun one
    /// already, that is the answer.
    public Creation create(SandboxSpec spec, Caller caller) throws InterruptedException {
        if (!spec.tenant().equals(caller.tenant().name())) {
            throw new IllegalArgumentException("a sandbox belongs to the tenant of its caller");
        }
        if (spec.key() == null) {
            return begin(spec, caller);
        }
        try (var _ = turns.take(spec.key())) {
            var earlier = used(spec.key(), caller);
            return earlier.isPresent() ? earlier.get() : begin(spec, caller);
        }
    }

    /// What a sandbox's key has begun, if it was used before: that sandbox, or why the key is no good. Waits for those
    /// who
    /// are beginning something with it.
    public Optional<Creation> earlier(@Nullable RequestKey key, Caller caller) throws InterruptedException {
        try (var _ = turns.take(key)) {
            return used(key, caller);
        }
    }

    private Optional<Creation> used(@Nullable RequestKey key, Caller caller) throws InterruptedException {
        var use = key == null ? Optional.<RequestKey.Use>empty() : runtime.use(key);
        if (use.isEmpty()) {
            return Optional.empty();
        }
        if (!use.get().key().equals(key)) {
            return Optional.of(new Creation.Refused(KeyRefusal.reused()));
        }
        return switch (use.get()) {
            case RequestKey.Use.BySandbox began ->
                Optional.of(here.find(began.id())
                        .filter(sandbox -> caller.sees(sandbox.tenant()))
                        .<Creation>map(Creation.Created::new)
                        .orElseGet(() -> new Creation.Refused(KeyRefusal.spent("sandbox " + began.id()))));
            case RequestKey.Use.ByJob _ -> Optional.of(new Creation.Refused(KeyRefusal.reused()));
        };
    }

    private Creation begin(SandboxSpec spec, Caller caller) throws InterruptedException {
        var forbidden = MountRights.refusal(spec.mounts(), caller, runtime)
                .or(() -> NetworkRights.refusal(spec.isolation().network(), caller, publish));
        if (forbidden.isPresent()) {
            return new Creation.Refused(forbidden.get());
        }
        var timeline = StartTimeline.begin();
        return switch (placement.rank(spec.limits(), cluster.view())) {
            case Placement.Ranking.NoneFits none ->
                new Creation.Refused(new Refusal(Refusal.Reason.NO_HOST_FITS, none.detail(), none.field()));
            case Placement.Ranking.Candidates _ -> here.create(spec, timeline);
        };
    }

    /// The caller's sandbox of this name, alias or id.
    public Optional<LastingSandbox> find(String idOrName, Caller caller) {
        return here.find(caller.tenant().name(), idOrName)
                .or(() -> SandboxId.parse(idOrName).flatMap(here::find))
                .filter(sandbox -> caller.sees(sandbox.tenant()));
    }

    /// The caps of a sandbox that may have all of the largest host.
    public Limits largest() {
        var hosts = cluster.view().hosts();
        var usual = Limits.DEFAULT;
        return new Limits(
                hosts.stream().mapToLong(Host::memoryBytes).max().orElse(usual.memoryBytes()),
                hosts.stream().mapToInt(Host::cpus).max().orElse(0),
                hosts.stream().mapToInt(Host::pids).max().orElse(usual.pids()),
                Limits.LONGEST_TIME,
                usual.outputBytes(),
                usual.diskBytes());
    }

    /// Where a port is published of which a caller says no address: as widely as every caller may.
    public Inet4Address usualPublishAddress() {
        return publish.has(Network.PublishedPort.EVERY) ? Network.PublishedPort.EVERY : Network.PublishedPort.LOOPBACK;
    }

    /// Files beneath `prefixes` of this machine, which callers may name by path.
    public SharedPaths shared(List<Path> prefixes) {
        return runtime.shared(prefixes);
    }

    /// All sandboxes of the caller's tenant, oldest first.
    public List<LastingSandbox> list(Caller caller) {
        return here.list(caller.tenant().name());
    }

    /// The number of the latest event of any sandbox; 0 if there was none.
    public long lastEvent() {
        return here.events().last();
    }

    /// Tells `sink`, on the calling thread, what became of the caller's sandboxes after event number `after`: what is
    /// known now, or if `follow` all that comes, until an interrupt.
    public void readEvents(Caller caller, long after, boolean follow, SandboxEvents.Sink sink)
            throws IOException, InterruptedException {
        here.events().read(caller.tenant().name(), after, follow, sink);
    }
}
