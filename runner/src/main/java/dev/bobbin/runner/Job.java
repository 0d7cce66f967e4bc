package dev.bobbin.runner;

import dev.bobbin.image.ImageReference;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// One request for work. A wrong value is an [IllegalArgumentException] whose message starts with the field's name,
/// so every way in refuses the same things in the same words.
public sealed interface Job {

    JobId id();

    /// The tenant that asked; only the same tenant may see the job again.
    String tenant();

    /// What a metric calls this kind of job.
    String kind();

    /// What happens to the job when the caller that waits for it goes away.
    enum OnDisconnect {
        KILL,
        CONTINUE
    }

    /// What happens when the output reaches its limit.
    enum OutputPolicy {
        /// The program waits while its attached readers are so far behind; what all of them have may be let go of.
        BLOCK,
        /// The job ends with cause `output_limit`.
        KILL,
        /// The oldest output is let go of.
        DROP
    }

    /// A command in a sandbox of its own, made for it and removed after it.
    ///
    /// @param command the program and its arguments; empty for the image's own entrypoint and command
    /// @param env variables set over the image's
    /// @param workdir absolute path, created if absent; `null` for the image's
    /// @param user `name`, `uid`, `name:group` or `uid:gid`; `null` for the image's
    /// @param files laid into the working directory before the start
    /// @param labels the caller's own notes, returned and never interpreted
    record Run(
            JobId id,
            String tenant,
            ImageReference image,
            List<String> command,
            Map<String, String> env,
            @Nullable String workdir,
            @Nullable String user,
            Stdin stdin,
            List<InputFile> files,
            Limits limits,
            OnDisconnect onDisconnect,
            OutputPolicy outputPolicy,
            Map<String, String> labels)
            implements Job {

        private static final int MOST_ARGUMENTS = 4096;
        /// The kernel's MAX_ARG_STRLEN, its final NUL included.
        private static final int LONGEST_STRING = 128 * 1024;
        /// Leaves room below the kernel's six megabytes for argv and environment together.
        private static final int MOST_BYTES = 1024 * 1024;
        private static final int LONGEST_PATH = 4095;

        public Run {
            command = List.copyOf(command);
            env = Collections.unmodifiableMap(new LinkedHashMap<>(env));
            files = List.copyOf(files);
            labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
            require(command.size() <= MOST_ARGUMENTS, "command: has at most " + MOST_ARGUMENTS + " arguments");
            var bytes = 0L;
            for (var index = 0; index < command.size(); index++) {
                bytes += checkString("command[" + index + "]", command.get(index));
            }
            require(command.isEmpty() || !command.getFirst().isEmpty(), "command[0]: must not be empty");
            require(
                    command.isEmpty() || !isKernelPath(command.getFirst()),
                    "command[0]: must not lie in /proc, /sys or /dev");
            for (var variable : env.entrySet()) {
                var name = variable.getKey();
                require(!name.isEmpty() && name.indexOf('=') < 0, "env: a name must not be empty or contain '='");
                bytes += checkString("env." + name, name + "=" + variable.getValue());
            }
            require(bytes <= MOST_BYTES, "command: with env has at most 1 MiB");
            checkFiles(files, limits);
            if (workdir != null) {
                require(workdir.startsWith("/"), "workdir: must be an absolute path");
                require(workdir.length() <= LONGEST_PATH, "workdir: has at most 4095 bytes");
                require(!List.of(workdir.split("/")).contains(".."), "workdir: must not have \"..\" parts");
                require(!isKernelPath(workdir), "workdir: must not lie in /proc, /sys or /dev");
                checkString("workdir", workdir);
            }
            if (user != null) {
                require(!user.isEmpty(), "user: must not be empty");
                checkString("user", user);
            }
        }

        @Override
        public String kind() {
            return "run";
        }

        /// What can be known of files before an image is in sight: whether they fit, and into each other's places.
        private static void checkFiles(List<InputFile> files, Limits limits) {
            var paths = files.stream().map(InputFile::path).collect(Collectors.toSet());
            require(paths.size() == files.size(), "files: a path is given twice");
            var bytes = 0L;
            for (var file : files) {
                bytes += file.data().length;
                for (var end = file.path().indexOf('/');
                        end >= 0;
                        end = file.path().indexOf('/', end + 1)) {
                    var above = file.path().substring(0, end);
                    require(!paths.contains(above), "files: " + file.path() + " cannot lie below the file " + above);
                }
            }
            var disk = Math.min(limits.diskBytes(), limits.memoryBytes());
            require(bytes <= disk, "files: " + bytes + " bytes do not fit into the " + disk + " of limits.disk");
        }

        private static int checkString(String field, String value) {
            require(value.indexOf('\0') < 0, field + ": must not contain a NUL character");
            var bytes = value.getBytes(StandardCharsets.UTF_8).length + 1;
            require(bytes <= LONGEST_STRING, field + ": has at most 131071 bytes");
            return bytes;
        }

        private static boolean isKernelPath(String path) {
            var plain = path.replaceAll("/(\\./|/)*", "/");
            return List.of("/proc", "/sys", "/dev").stream()
                    .anyMatch(top -> plain.equals(top) || plain.startsWith(top + "/"));
        }

        private static void require(boolean condition, String message) {
            if (!condition) {
                throw new IllegalArgumentException(message);
            }
        }
    }
}
