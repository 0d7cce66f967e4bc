package dev.bobbin.runner;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Something else than the image that is seen in a sandbox's root.
public sealed interface Mount {
    int MOST = 32;

    /// Where it is seen: an absolute path in the sandbox. What is missing of it is made.
    String target();

    /// Whether nothing can be written there.
    boolean readOnly();

    /// A directory that has a name, is shared by all of the tenant's sandboxes that name it, and outlives them.
    ///
    /// @param name of a volume of the tenant, which is made if there is none
    record Volume(String name, String target, boolean readOnly) implements Mount {}

    /// A directory or file of this machine.
    ///
    /// @param source its absolute path, beneath a directory that the configuration allows
    record Bind(String source, String target, boolean readOnly) implements Mount {}

    /// An empty directory in memory, which counts as memory of the sandbox and goes with its run.
    ///
    /// @param bytes its size; 0 for as much as the sandbox may have of memory
    record Tmpfs(String target, long bytes) implements Mount {
        @Override
        public boolean readOnly() {
            return false;
        }
    }

    /// The names of all volumes among `mounts`.
    static List<String> volumes(List<Mount> mounts) {
        return mounts.stream()
                .flatMap(mount -> mount instanceof Volume volume ? Stream.of(volume.name()) : Stream.empty())
                .distinct()
                .toList();
    }

    /// Refuses what cannot be the name of a volume: anything odd, and what looks like an id.
    static void checkVolumeName(String field, String name) {
        JobFields.require(
                Checks.NAME.matcher(name).matches(),
                field + ": has at most 64 letters, digits, '_', '.' and '-', and begins with a letter or digit");
        JobFields.require(SandboxId.parse(name).isEmpty(), field + ": must not look like an id");
    }

    /// The same mounts, if they can be.
    ///
    /// @throws IllegalArgumentException that starts with the field's name, if one of them cannot be
    static List<Mount> checked(List<Mount> mounts) {
        JobFields.require(mounts.size() <= MOST, "mounts: there are at most " + MOST + " of them");
        var targets = new HashSet<String>();
        for (var index = 0; index < mounts.size(); index++) {
            var mount = mounts.get(index);
            var field = "mounts[" + index + "]";
            Checks.target(field + ".target", mount.target());
            JobFields.require(
                    targets.add(Checks.plain(mount.target())), field + ".target: another mount has the same target");
            switch (mount) {
                case Volume volume -> checkVolumeName(field + ".source", volume.name());
                case Bind bind -> Checks.source(field + ".source", bind.source());
                case Tmpfs tmpfs ->
                    JobFields.require(
                            tmpfs.bytes() == 0 || tmpfs.bytes() >= Checks.PAGE,
                            field + ".size: must be at least 4096 bytes");
            }
        }
        return List.copyOf(mounts);
    }

    /// What [#checked] looks at.
    final class Checks {
        private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}");
        private static final int PAGE = 4096;
        private static final int LONGEST_PATH = 4095;

        private Checks() {}

        private static void target(String field, String path) {
            path(field, path);
            JobFields.require(!plain(path).equals("/"), field + ": must not be the root itself");
            JobFields.require(!JobFields.isKernelPath(path), field + ": must not lie in /proc, /sys or /dev");
        }

        private static void source(String field, String path) {
            path(field, path);
        }

        private static void path(String field, String path) {
            JobFields.require(path.startsWith("/"), field + ": must be an absolute path");
            JobFields.require(
                    path.getBytes(StandardCharsets.UTF_8).length <= LONGEST_PATH, field + ": has at most 4095 bytes");
            JobFields.require(path.indexOf('\0') < 0, field + ": must not contain a NUL character");
            JobFields.require(!List.of(path.split("/", -1)).contains(".."), field + ": must not have \"..\" parts");
        }

        /// A path without what says nothing.
        private static String plain(String path) {
            var plain = path.replaceAll("/(\\.?/)*", "/").replaceAll("/\\.$", "/");
            return plain.length() > 1 && plain.endsWith("/") ? plain.substring(0, plain.length() - 1) : plain;
        }
    }
}
