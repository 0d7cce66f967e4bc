package dev.bobbin.ops.cli;

import java.util.List;
import java.util.Map;

/// A sandbox's published ports as people read them.
final class PublishedPorts {
    private PublishedPorts() {}

    /// `80/tcp -> 127.0.0.1:8080` for each port of a sandbox as the server describes it.
    static List<String> of(Map<?, ?> sandbox) {
        var ports = sandbox.get("network") instanceof Map<?, ?> network ? network.get("ports") : null;
        return ImageClient.maps(ports).stream()
                .map(port -> inside(port) + " -> " + port.get("host_address") + ":" + port.get("host_port"))
                .toList();
    }

    /// `80/tcp`
    private static String inside(Map<?, ?> port) {
        return port.get("port") + "/" + port.get("protocol");
    }
}
