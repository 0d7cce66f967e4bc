package dev.bobbin.runner.net;

import dev.bobbin.runner.Network;
import dev.bobbin.runner.Network.Attachment;
import dev.bobbin.runner.SandboxId;
import java.net.Inet4Address;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A sandbox on the bridge.
///
/// @param names by which its project finds it, besides its aliases
/// @param circle whom it reaches; `null` if it has no project
record Member(
        SandboxId id,
        List<String> names,
        Attachment place,
        @Nullable Circle circle) {
    Member {
        names = List.copyOf(names);
    }

    static Member of(SandboxId id, String tenant, List<String> names, Attachment place) {
        var project = place.bridge().project();
        return new Member(id, names, place, project == null ? null : new Circle(tenant, project));
    }

    Member named(List<String> names) {
        return new Member(id, names, place, circle);
    }

    Network.Bridge bridge() {
        return place.bridge();
    }

    Inet4Address address() {
        return place.address();
    }

    boolean isNamed(String name) {
        return bridge().aliases().contains(name) || names.stream().anyMatch(name::equalsIgnoreCase);
    }
}
