package dev.bobbin.runner;

import dev.bobbin.image.ImageReference;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What a sandbox that lasts is to be. A wrong value is an [IllegalArgumentException] whose message starts with the
/// field's name.
///
/// @param name unique among the tenant's; `null` for none
/// @param command the process of its own, with which it ends; empty: it idles, and lasts until it is stopped
/// @param env variables set over the image's, for every process in it
/// @param workdir absolute path, created if absent; `null` for the image's
/// @param user of every process that names no other; `null` for the image's
/// @param files laid into the working directory before its first start
/// @param limits of everything in it together; time does not apply, and output is that of its own process
/// @param labels the caller's own notes, returned and never interpreted
/// @param ttl removed so long after it was created; `null` for never
/// @param idleTimeout stopped when nothing was run in it for so long; `null` for never
/// @param mounts what is seen in its root besides the image
/// @param terminal of its own process, in place of pipes; `null` for none
/// @param network what it may reach, and who may reach it
/// @param sysctls settings of the kernel in its own namespaces, at every start
/// @param seccomp name of a profile of system calls that holds besides the one that all have; `null` for none
/// @param rights what its processes may besides what all may
/// @param key by which the request for it is known when it is sent again; `null` for none
public record SandboxSpec(
        SandboxId id,
        String tenant,
        @Nullable String name,
        ImageReference image,
        List<String> command,
        Map<String, String> env,
        @Nullable String workdir,
        @Nullable String user,
        List<InputFile> files,
        Limits limits,
        Job.OutputPolicy outputPolicy,
        Map<String, String> labels,
        @Nullable Duration ttl,
        @Nullable Duration idleTimeout,
        List<Mount> mounts,
        @Nullable Terminal terminal,
        Network network,
        Sysctls sysctls,
        @Nullable String seccomp,
        Rights rights,
        @Nullable RequestKey key) {

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,127}");

    /// One without mounts, terminal, network, sysctls, profile, rights and key.
    public SandboxSpec(
            SandboxId id,
            String tenant,
            @Nullable String name,
            ImageReference image,
            List<String> command,
            Map<String, String> env,
            @Nullable String workdir,
            @Nullable String user,
            List<InputFile> files,
            Limits limits,
            Job.OutputPolicy outputPolicy,
            Map<String, String> labels,
            @Nullable Duration ttl,
            @Nullable Duration idleTimeout) {
        this(
                id,
                tenant,
                name,
                image,
                command,
                env,
                workdir,
                user,
                files,
                limits,
                outputPolicy,
                labels,
                ttl,
                idleTimeout,
                List.of(),
                null,
                Network.NONE,
                Sysctls.NONE,
                null,
                Rights.NONE,
                null);
    }

    public SandboxSpec {
        command = List.copyOf(command);
        env = Collections.unmodifiableMap(new LinkedHashMap<>(env));
        files = List.copyOf(files);
        labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
        if (name != null) {
            checkName(name);
        }
        JobFields.check(command, env);
        JobFields.checkPlace(workdir, user);
        mounts = Mount.checked(mounts);
        JobFields.require(
                terminal == null || !command.isEmpty(), "terminal: is of a command, and there is none that idles");
        sysctls.checkWith(network);
        rights.checkWith(network);
        JobFields.require(ttl == null || ttl.isPositive(), "ttl: must be positive");
        JobFields.require(idleTimeout == null || idleTimeout.isPositive(), "idle_timeout: must be positive");
    }

    /// The same, with another name or none.
    public SandboxSpec named(@Nullable String other) {
        return new SandboxSpec(
                id,
                tenant,
                other,
                image,
                command,
                env,
                workdir,
                user,
                files,
                limits,
                outputPolicy,
                labels,
                ttl,
                idleTimeout,
                mounts,
                terminal,
                network,
                sysctls,
                seccomp,
                rights,
                key);
    }

    /// Refuses what cannot be the name of a sandbox: anything odd, and what looks like an id.
    public static void checkName(String name) {
        JobFields.require(
                NAME.matcher(name).matches(),
                "name: has at most 128 letters, digits, '_', '.' and '-', and begins with a letter or digit");
        JobFields.require(SandboxId.parse(name).isEmpty(), "name: must not look like an id");
    }
}
