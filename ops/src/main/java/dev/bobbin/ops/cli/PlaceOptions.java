package dev.bobbin.ops.cli;

import java.math.BigDecimal;
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

    /// Puts the image, the mounts and the network into `request`, and gives the limits, which are to be put there when
    /// they are complete.
    Request putInto(Request request) {
        network.putInto(request);
        request.put("image", image).put("pull", pull).put("mounts", mounts.all().isEmpty() ? null : mounts.all());
        return new Request()
                .putAmount("memory", memory)
                .put("cpus", cpus)
                .put("pids", pids)
                .putAmount("disk", disk);
    }
}
