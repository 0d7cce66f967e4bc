package dev.bobbin.runner;

import dev.bobbin.image.ImageReference;
import java.time.Duration;
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

    /// By which the request is known when it is sent again; `null` if its caller gave it none.
    default @Nullable RequestKey key() {
        return null;
    }

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
    /// @param command with no arguments, the image's own entrypoint and command; its directory is created if
    ///        absent. With a terminal, standard input must be left open
    /// @param files laid into the working directory before the start
    /// @param labels the caller's own notes, returned and never interpreted
    /// @param mounts what is seen in its root besides the image
    /// @param key by which the request is known when it is sent again; `null` for none
    record Run(
            JobId id,
            String tenant,
            ImageReference image,
            Command command,
            Stdin stdin,
            List<InputFile> files,
            Limits limits,
            OnDisconnect onDisconnect,
            OutputPolicy outputPolicy,
            Map<String, String> labels,
            List<Mount> mounts,
            Isolation isolation,
            @Nullable RequestKey key)
            implements Job {

        public Run {
            files = List.copyOf(files);
            labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
            checkFiles(files, limits);
            mounts = Mount.checked(mounts);
            JobFields.checkTerminal(command.terminal(), stdin);
        }

        @Override
        public String kind() {
            return "run";
        }

        /// What can be known of files before an image is in sight: whether they fit, and into each other's places.
        private static void checkFiles(List<InputFile> files, Limits limits) {
            var paths = files.stream().map(InputFile::path).collect(Collectors.toSet());
            JobFields.require(paths.size() == files.size(), "files: a path is given twice");
            var bytes = 0L;
            for (var file : files) {
                bytes += file.data().length;
                for (var end = file.path().indexOf('/');
                        end >= 0;
                        end = file.path().indexOf('/', end + 1)) {
                    var above = file.path().substring(0, end);
                    JobFields.require(
                            !paths.contains(above), "files: " + file.path() + " cannot lie below the file " + above);
                }
            }
            var disk = Math.min(limits.diskBytes(), limits.memoryBytes());
            JobFields.require(
                    bytes <= disk, "files: " + bytes + " bytes do not fit into the " + disk + " of limits.disk");
        }
    }

    /// A command in a sandbox that lasts and runs already; it has exactly that sandbox's rights, limits and view.
    ///
    /// @param command at least one argument; what is absent is the sandbox's, and its directory must exist. With a
    ///        terminal, standard input must be left open
    /// @param time wall time from the first instruction; what it started is killed with it, but for what left its
    ///        process group
    /// @param outputBytes bytes of standard output and standard error together
    /// @param labels the caller's own notes, returned and never interpreted
    /// @param key as in [Run]
    record Exec(
            JobId id,
            String tenant,
            SandboxId sandbox,
            Command command,
            Stdin stdin,
            Duration time,
            long outputBytes,
            OnDisconnect onDisconnect,
            OutputPolicy outputPolicy,
            Map<String, String> labels,
            @Nullable RequestKey key)
            implements Job {

        public Exec {
            labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
            JobFields.require(!command.argv().isEmpty(), "command: must not be empty");
            JobFields.require(time.toMillis() >= 1, "time: must be at least 1ms");
            JobFields.require(outputBytes >= 1, "output: must be at least 1 byte");
            JobFields.checkTerminal(command.terminal(), stdin);
        }

        @Override
        public String kind() {
            return "exec";
        }
    }
}
