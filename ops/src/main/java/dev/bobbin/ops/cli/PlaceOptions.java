package dev.bobbin.ops.cli;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// What a sandbox is made of.
final class PlaceOptions {
    @Option(names = "--image", paramLabel = "IMAGE", description = "Default: host, this machine's own programs.")
    private @Nullable String image;

    @Option(
            names = "--pull",
            paramLabel = "POLICY",
            description = "When the image's registry is asked: missing (default), always or never.")
    private @Nullable String pull;

    @Option(
            names = {"-m", "--memory"},
            paramLabel = "SIZE",
            description = "Default 512MiB.")
    private @Nullable String memory;

    @Option(names = "--cpus", paramLabel = "N", description = "Default: all of the host's.")
    private @Nullable BigDecimal cpus;

    @Option(
            names = {"--pids", "--pids-limit"},
            paramLabel = "N",
            description = "Processes and threads. Default 1024.")
    private @Nullable Integer pids;

    @Option(names = "--disk", paramLabel = "SIZE", description = "Default 1GiB.")
    private @Nullable String disk;

    @Option(
            names = "--cpuset-cpus",
            paramLabel = "LIST",
            description = "Which processors, such as 0-1,3. Default: any.")
    private @Nullable String cpuset;

    @Option(
            names = "--cpu-weight",
            paramLabel = "N",
            description = "Share of processors that others want too, 1 to 10000. Default 100.")
    private @Nullable Integer cpuWeight;

    @Option(names = "--read-bps", paramLabel = "SIZE", description = "Bytes a second from the disk. Default: any.")
    private @Nullable String readBps;

    @Option(names = "--write-bps", paramLabel = "SIZE", description = "Bytes a second to the disk.")
    private @Nullable String writeBps;

    @Option(names = "--read-iops", paramLabel = "N", description = "Reads of the disk a second.")
    private @Nullable Integer readIops;

    @Option(names = "--write-iops", paramLabel = "N", description = "Writes of the disk a second.")
    private @Nullable Integer writeIops;

    @Option(
            names = "--ulimit",
            paramLabel = "nofile=N",
            description = "Files that each process may have open. Default 1024, which it may raise.")
    private Map<String, Integer> ulimits = Map.of();

    @Option(
            names = "--sysctl",
            paramLabel = "NAME=VALUE",
            description = "Sets a sysctl of its own, such as net.core.somaxconn=1024; repeatable.")
    private Map<String, String> sysctls = Map.of();

    @Option(
            names = "--seccomp",
            paramLabel = "NAME",
            description = "Profile of system calls, besides the one that all have: moderate, restrictive, or one of the"
                    + " server's host.seccomp-profiles.")
    private @Nullable String seccomp;

    @Option(
            names = "--allow-new-privileges",
            description = "Lets programs gain rights that their caller has not, as sudo and su do. Only if the server's"
                    + " host.rights.allowed has new-privileges.")
    private boolean newPrivileges;

    @Option(
            names = "--cap-add",
            paramLabel = "NAME",
            description = "A capability of its root, such as CAP_SYS_PTRACE; repeatable. Only what the server's"
                    + " host.rights.allowed has.")
    private List<String> capabilities = List.of();

    @Mixin
    private final MountOptions mounts = new MountOptions();

    @Mixin
    private final NetworkOptions network = new NetworkOptions();

    /// Whether it shares files with others.
    boolean hasVolumes() {
        return mounts.haveVolumes();
    }

    Optional<String> image() {
        return Optional.ofNullable(image);
    }

    Optional<String> pull() {
        return Optional.ofNullable(pull);
    }

    /// Puts the image, the mounts, the network and the sysctls into `request`, and gives the limits, which are to be
    /// put there when they are complete.
    Request putInto(Request request) {
        network.putInto(request);
        request.put("image", image)
                .put("pull", pull)
                .put("seccomp", seccomp)
                .put("mounts", mounts.all().isEmpty() ? null : mounts.all());
        request.putUnlessEmpty("sysctls", sysctls)
                .put("allow_new_privileges", newPrivileges ? true : null)
                .putUnlessEmpty("capabilities", capabilities.isEmpty() ? Map.of() : Map.of("add", capabilities));
        var rates = new Request()
                .putAmount("read_bps", readBps)
                .putAmount("write_bps", writeBps)
                .put("read_iops", readIops)
                .put("write_iops", writeIops);
        var limits = new Request()
                .putAmount("memory", memory)
                .put("cpus", cpus)
                .put("pids", pids)
                .putAmount("disk", disk)
                .put("cpuset", cpuset)
                .put("cpu_weight", cpuWeight)
                .putUnlessEmpty("io", rates.members());
        ulimits.forEach(limits::put);
        return limits;
    }
}
