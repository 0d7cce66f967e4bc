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
/// @param command of the process of its own, with which it ends; with no arguments it idles, and lasts until it is
///        stopped. Its variables, directory (created if absent) and user are those of every process that names
///        no other
/// @param files laid into the working directory before its first start
/// @param limits of everything in it together; time does not apply, and output is that of its own process
/// @param labels the caller's own notes, returned and never interpreted
/// @param ttl removed so long after it was created; `null` for never
/// @param idleTimeout stopped when nothing was run in it for so long; `null` for never
/// @param mounts what is seen in its root besides the image
/// @param key by which the request for it is known when it is sent again; `null` for none
public record SandboxSpec(
        SandboxId id,
        String tenant,
        @Nullable String name,
        ImageReference image,
        Command command,
        List<InputFile> files,
        Limits limits,
        Job.OutputPolicy outputPolicy,
        Map<String, String> labels,
        @Nullable Duration ttl,
        @Nullable Duration idleTimeout,
        List<Mount> mounts,
        Isolation isolation,
        @Nullable RequestKey key) {

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,127}");

    public SandboxSpec {
        files = List.copyOf(files);
        labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
        if (name != null) {
            checkName(name);
        }
        mounts = Mount.checked(mounts);
        JobFields.require(
                command.terminal() == null || !command.argv().isEmpty(),
                "terminal: is of a command, and there is none that idles");
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
                files,
                limits,
                outputPolicy,
                labels,
                ttl,
                idleTimeout,
                mounts,
                isolation,
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
