package dev.bobbin.runner.net;

import dev.bobbin.runner.Network;
import dev.bobbin.runner.Network.Attachment;
import dev.bobbin.runner.SandboxId;
import java.net.Inet4Address;
import java.util.List;

/// A sandbox on the bridge.
///
/// @param names by which its project finds it, besides its aliases
record Member(SandboxId id, String tenant, List<String> names, Attachment place) {
    Member {
        names = List.copyOf(names);
    }

    Network.Bridge bridge() {
        return place.bridge();
    }

    Inet4Address address() {
        return place.address();
    }

    /// What sandboxes share that reach one another; only of one that has a project.
    String circle() {
        return tenant + "\0" + bridge().project();
    }

    boolean isNamed(String name) {
        return bridge().aliases().contains(name) || names.stream().anyMatch(name::equalsIgnoreCase);
    }
}
