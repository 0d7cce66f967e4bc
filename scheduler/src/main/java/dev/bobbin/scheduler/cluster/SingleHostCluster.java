package dev.bobbin.scheduler.cluster;

import dev.bobbin.runner.host.HostRuntime;
import dev.bobbin.scheduler.placement.ClusterView;
import dev.bobbin.scheduler.placement.Host;
import dev.bobbin.scheduler.placement.HostId;
import java.util.List;

/// A cluster of one: the view is this host as it is now.
public final class SingleHostCluster {
    private final HostId here;
    private final HostRuntime runtime;

    public SingleHostCluster(HostId here, HostRuntime runtime) {
        this.here = here;
        this.runtime = runtime;
    }

    public ClusterView view() {
        var capacity = runtime.capacity();
        var host = new Host(here, capacity.cpus(), capacity.memoryBytes(), capacity.pids(), capacity.running());
        return new ClusterView(here, List.of(host));
    }
}
