package dev.bobbin.scheduler.placement;

import java.util.List;

/// All hosts at one moment, as one of them knows them.
///
/// @param here the host that looks
public record ClusterView(HostId here, List<Host> hosts) {
    public ClusterView {
        hosts = List.copyOf(hosts);
    }
}
