package dev.bobbin.image;

import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What an image says about how its programs are run; the job's own values come before these.
///
/// @param environment variables set for every process, in the image's order
/// @param entrypoint the fixed beginning of the command, empty if none
/// @param command the arguments used when the job names none, empty if none
/// @param user `name`, `uid`, `name:group` or `uid:gid`; `root` if the image names none
/// @param workdir absolute path of the working directory
/// @param stopSignal the signal that asks its program to end, as written; nothing if the image names none
/// @param volumes directories whose content outlives a change of the image
/// @param exposedPorts `port` or `port/protocol`
/// @param healthcheck as JSON, nothing if the image has none
/// @param shell what wraps commands of a build on it that are texts; empty for the usual one
/// @param onBuild instructions of a Dockerfile that a build on it begins with
/// @param origin what it was made for, and from
public record ImageConfig(
        Map<String, String> environment,
        List<String> entrypoint,
        List<String> command,
        String user,
        String workdir,
        @Nullable String stopSignal,
        List<String> volumes,
        List<String> exposedPorts,
        Map<String, String> labels,
        @Nullable String healthcheck,
        List<String> shell,
        List<String> onBuild,
        Origin origin) {

    public ImageConfig {
        environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
        entrypoint = List.copyOf(entrypoint);
        command = List.copyOf(command);
        volumes = List.copyOf(volumes);
        exposedPorts = List.copyOf(exposedPorts);
        shell = List.copyOf(shell);
        onBuild = List.copyOf(onBuild);
        labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
    }

    /// Of an image that says how its programs are run, and no more.
    public ImageConfig(
            Map<String, String> environment,
            List<String> entrypoint,
            List<String> command,
            String user,
            String workdir) {
        this(
                environment,
                entrypoint,
                command,
                user,
                workdir,
                null,
                List.of(),
                List.of(),
                Map.of(),
                null,
                List.of(),
                List.of(),
                Origin.HERE);
    }

    /// Reads the configuration blob of an image.
    ///
    /// @throws ImageException INVALID
    public static ImageConfig parse(byte[] raw) {
        return ConfigJson.read(raw);
    }

    /// The configuration blob.
    public byte[] bytes() {
        return ConfigJson.write(this);
    }

    public ImageConfig withOrigin(Origin newOrigin) {
        return new ImageConfig(
                environment,
                entrypoint,
                command,
                user,
                workdir,
                stopSignal,
                volumes,
                exposedPorts,
                labels,
                healthcheck,
                shell,
                onBuild,
                newOrigin);
    }

    /// Names the variables, never their values: they may be secrets.
    @Override
    public String toString() {
        return "ImageConfig[environment=" + environment.keySet() + ", entrypoint=" + entrypoint + ", command=" + command
                + ", user=" + user + ", workdir=" + workdir + "]";
    }

    /// How an image came to be.
    ///
    /// @param diffIds the digests of its uncompressed layers, the lowest first
    public record Origin(Platform platform, @Nullable Instant created, List<Digest> diffIds, List<Step> history) {
        /// Made on this machine, of no layers.
        public static final Origin HERE = new Origin(Platform.ofThisMachine(), null, List.of(), List.of());

        public Origin {
            diffIds = List.copyOf(diffIds);
            history = List.copyOf(history);
        }
    }

    /// One step of the history.
    ///
    /// @param emptyLayer whether it added no layer
    public record Step(
            @Nullable Instant created, String createdBy, String author, String comment, boolean emptyLayer) {}
}
