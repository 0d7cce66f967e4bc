package dev.bobbin.scheduler.dispatch;

import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.Refusal;
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

/// The sandboxes that last, as callers may see and make them. Another tenant's do not exist, unless an administrator
/// names the id. What is found does itself what it is told.
public final class SandboxDirectory {
    private final HostRuntime runtime;
    private final Sandboxes here;
    private final SingleHostCluster cluster;
    private final PublishConfig publish;
    private final Placement placement = new Placement();

    /// Those of `runtime`.
    ///
    /// @param publish where callers who are no administrators may publish ports
    public SandboxDirectory(HostRuntime runtime, SingleHostCluster cluster, PublishConfig publish) {
        this.publish = publish;
        this.runtime = runtime;
        this.here = runtime.sandboxes();
        this.cluster = cluster;
    }

    /// The volumes that sandboxes share.
    public VolumeDirectory volumes() {
        return new VolumeDirectory(runtime.volumes());
    }

    /// Makes a sandbox and starts it, unless it fits nowhere. It has no place at the gate: it lasts, and mostly idles.
    public Creation create(SandboxSpec spec, Caller caller) throws InterruptedException {
        if (!spec.tenant().equals(caller.tenant().name())) {
            throw new IllegalArgumentException("a sandbox belongs to the tenant of its caller");
        }
        var forbidden = MountRights.refusal(spec.mounts(), caller, runtime)
                .or(() -> NetworkRights.refusal(spec.network(), caller, publish));
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
