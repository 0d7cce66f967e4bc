package dev.bobbin.runner.volume;

import dev.bobbin.runner.Mount;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.Volume;
import dev.bobbin.runner.sandbox.MountOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// Decides what a request for mounts gets, and notes who uses which volume. Safe for many threads.
public final class Mountings {
    private final VolumeStore volumes;
    private final BindConfig config;
    private final Binds binds;

    private Mountings(VolumeStore volumes, BindConfig config, Binds binds) {
        this.volumes = volumes;
        this.config = config;
        this.binds = binds;
    }

    /// The answer to a request for mounts.
    public sealed interface Answer {
        /// It can be had.
        ///
        /// @param orders what the init is to be told, outermost first
        record Ready(List<MountOrder> orders) implements Answer {}

        record Refused(Refusal refusal) implements Answer {}
    }

    /// What may be mounted on this host.
    ///
    /// @param ours directories of this Bobbin, of which nothing may be mounted
    /// @throws dev.bobbin.runner.sandbox.SandboxException if that cannot be
    public static Mountings open(VolumeStore volumes, BindConfig config, List<Path> ours) {
        return new Mountings(volumes, config, Binds.open(config, ours));
    }

    /// Whether an order may name anything of this machine.
    public boolean mayBind() {
        return config.any();
    }

    /// Whether callers who are no administrators may have something of this machine mounted.
    public boolean everybodyMayBind() {
        return config.everybody();
    }

    /// What `user` asks for. VolumeStore that are missing are made, and from now on `user` uses them, until [#release].
    ///
    /// @param memoryBytes the size of a tmpfs that has none of its own
    public Answer take(String tenant, List<Mount> mounts, long memoryBytes, String user) {
        if (mounts.isEmpty()) {
            return new Answer.Ready(List.of());
        }
        var refusal = refusalOfBinds(mounts);
        if (refusal.isPresent()) {
            return new Answer.Refused(refusal.get()); // before any volume is made
        }
        var answer = orders(mounts, memoryBytes, name -> Optional.of(volumes.use(tenant, name, user)));
        if (answer instanceof Answer.Refused) {
            volumes.release(user);
        }
        return answer;
    }

    /// What somebody is to be told anew who took it before: a volume that is missing now is not made.
    public Answer again(String tenant, List<Mount> mounts, long memoryBytes) {
        return orders(mounts, memoryBytes, name -> volumes.find(tenant, name));
    }

    /// Notes that `user`, who outlived a server, uses these volumes.
    public void keep(String tenant, List<String> names, String user) {
        volumes.keep(tenant, names, user);
    }

    /// Notes that `user` uses nothing any more.
    public void release(String user) {
        volumes.release(user);
    }

    private Optional<Refusal> refusalOfBinds(List<Mount> mounts) {
        for (var index = 0; index < mounts.size(); index++) {
            if (mounts.get(index) instanceof Mount.Bind bind
                    && binds.of(bind, field(index)) instanceof Binds.Answer.Refused(var refusal)) {
                return Optional.of(refusal);
            }
        }
        return Optional.empty();
    }

    private static String field(int index) {
        return "mounts[" + index + "].source";
    }

    private Answer orders(List<Mount> mounts, long memoryBytes, Function<String, Optional<Volume>> finding) {
        var orders = new ArrayList<MountOrder>();
        for (var index = 0; index < mounts.size(); index++) {
            var field = field(index);
            switch (mounts.get(index)) {
                case Mount.Volume volume -> {
                    var found = finding.apply(volume.name());
                    if (found.isEmpty()) {
                        var detail = field + ": there is no volume \"" + volume.name() + "\" any more";
                        return new Answer.Refused(new Refusal(Refusal.Reason.NO_SUCH_VOLUME, detail, field));
                    }
                    orders.add(MountOrder.volume(volume, found.get().id()));
                }
                case Mount.Bind bind -> {
                    switch (binds.of(bind, field)) {
                        case Binds.Answer.Refused(var refusal) -> {
                            return new Answer.Refused(refusal);
                        }
                        case Binds.Answer.Allowed(var order) -> orders.add(order);
                    }
                }
                case Mount.Tmpfs tmpfs -> orders.add(MountOrder.tmpfs(tmpfs, memoryBytes));
            }
        }
        // what lies in another comes after it
        orders.sort(Comparator.comparingInt(
                order -> Path.of(order.target()).normalize().getNameCount()));
        return new Answer.Ready(orders);
    }
}
