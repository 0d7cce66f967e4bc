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
    /// @param command the program and its arguments; empty for the image's own entrypoint and command
    /// @param env variables set over the image's
    /// @param workdir absolute path, created if absent; `null` for the image's
    /// @param user `name`, `uid`, `name:group` or `uid:gid`; `null` for the image's
    /// @param files laid into the working directory before the start
    /// @param labels the caller's own notes, returned and never interpreted
    /// @param mounts what is seen in its root besides the image
    /// @param terminal in place of pipes, then standard input must be left open; `null` for none. What it shows is
    ///        standard output
    /// @param network what it may reach, and who may reach it
    /// @param sysctls settings of the kernel in its own namespaces
    /// @param seccomp name of a profile of system calls that holds besides the one that all have; `null` for none
    /// @param rights what it may besides what all may
    /// @param key by which the request is known when it is sent again; `null` for none
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
            Map<String, String> labels,
            List<Mount> mounts,
            @Nullable Terminal terminal,
            Network network,
            Sysctls sysctls,
            @Nullable String seccomp,
            Rights rights,
            @Nullable RequestKey key)
            implements Job {

        /// One without mounts, terminal, network, sysctls, profile, rights and key.
        public Run(
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
                Map<String, String> labels) {
            this(
                    id,
                    tenant,
                    image,
                    command,
                    env,
                    workdir,
                    user,
                    stdin,
                    files,
                    limits,
                    onDisconnect,
                    outputPolicy,
                    labels,
                    List.of(),
                    null,
                    Network.NONE,
                    Sysctls.NONE,
                    null,
                    Rights.NONE,
                    null);
        }

        public Run {
            command = List.copyOf(command);
            env = Collections.unmodifiableMap(new LinkedHashMap<>(env));
            files = List.copyOf(files);
            labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
            JobFields.check(command, env);
            checkFiles(files, limits);
            mounts = Mount.checked(mounts);
            JobFields.checkPlace(workdir, user);
            JobFields.checkTerminal(terminal, stdin);
            sysctls.checkWith(network);
            rights.checkWith(network);
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
    /// @param command the program and its arguments, at least one
    /// @param env variables set over the sandbox's
    /// @param workdir absolute path of a directory that exists; `null` for the sandbox's
    /// @param user as in [Run]; `null` for the sandbox's
    /// @param time wall time from the first instruction; what it started is killed with it, but for what left its
    ///        process group
    /// @param outputBytes bytes of standard output and standard error together
    /// @param labels the caller's own notes, returned and never interpreted
    /// @param terminal in place of pipes, then standard input must be left open; `null` for none. What it shows is
    ///        standard output
    /// @param key as in [Run]
    record Exec(
            JobId id,
            String tenant,
            SandboxId sandbox,
            List<String> command,
            Map<String, String> env,
            @Nullable String workdir,
            @Nullable String user,
            Stdin stdin,
            Duration time,
            long outputBytes,
            OnDisconnect onDisconnect,
            OutputPolicy outputPolicy,
            Map<String, String> labels,
            @Nullable Terminal terminal,
            @Nullable RequestKey key)
            implements Job {

        /// One without a key.
        public Exec(
                JobId id,
                String tenant,
                SandboxId sandbox,
                List<String> command,
                Map<String, String> env,
                @Nullable String workdir,
                @Nullable String user,
                Stdin stdin,
                Duration time,
                long outputBytes,
                OnDisconnect onDisconnect,
                OutputPolicy outputPolicy,
                Map<String, String> labels,
                @Nullable Terminal terminal) {
            this(
                    id,
                    tenant,
                    sandbox,
                    command,
                    env,
                    workdir,
                    user,
                    stdin,
                    time,
                    outputBytes,
                    onDisconnect,
                    outputPolicy,
                    labels,
                    terminal,
                    null);
        }

        /// One without a terminal and a key.
        public Exec(
                JobId id,
                String tenant,
                SandboxId sandbox,
                List<String> command,
                Map<String, String> env,
                @Nullable String workdir,
                @Nullable String user,
                Stdin stdin,
                Duration time,
                long outputBytes,
                OnDisconnect onDisconnect,
                OutputPolicy outputPolicy,
                Map<String, String> labels) {
            this(
                    id,
                    tenant,
                    sandbox,
                    command,
                    env,
                    workdir,
                    user,
                    stdin,
                    time,
                    outputBytes,
                    onDisconnect,
                    outputPolicy,
                    labels,
                    null,
                    null);
        }

        public Exec {
            command = List.copyOf(command);
            env = Collections.unmodifiableMap(new LinkedHashMap<>(env));
            labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
            JobFields.require(!command.isEmpty(), "command: must not be empty");
            JobFields.check(command, env);
            JobFields.checkPlace(workdir, user);
            JobFields.require(time.toMillis() >= 1, "time: must be at least 1ms");
            JobFields.require(outputBytes >= 1, "output: must be at least 1 byte");
            JobFields.checkTerminal(terminal, stdin);
        }

        @Override
        public String kind() {
            return "exec";
        }
    }
}
