package dev.bobbin.runner.sandbox;

import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.Command;
import dev.bobbin.runner.Isolation;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Mount;
import dev.bobbin.runner.RequestKey;
import dev.bobbin.runner.Rights;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.SandboxSpec;
import dev.bobbin.runner.SandboxState;
import dev.bobbin.runner.Sysctls;
import dev.bobbin.runner.Terminal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What `sandbox.json` says: everything that must be known of a sandbox that lasts while it does not run, or while no
/// server does. The file is readable by root only, since the environment is in it.
///
/// @param aliases short names that it has for ever besides its id, the first one of eight hexadecimal digits
/// @param layers of its image when it was created, so that it never starts again on other ones
/// @param uidBase its range of user ids, to which its files belong
/// @param pid this machine's number of its PID 1, of the run that is or was the last
/// @param own its own process's job, of the run that is or was the last
/// @param started whether it ever ran, so that its files are its own
/// @param problem why it failed; `null` if it did not
/// @param project of the file system's quotas that its files have; 0 if their size is not kept
public record SandboxRecord(
        SandboxSpec spec,
        List<String> aliases,
        List<String> layers,
        Instant createdAt,
        int uidBase,
        int pid,
        SandboxState state,
        JobId own,
        boolean started,
        @Nullable String problem,
        int project) {

    /// Had no mounts.
    private static final long FIRST_VERSION = 1;

    /// Had no network, no sysctls and no profile, and neither processors nor rates among its limits.
    private static final long SECOND_VERSION = 2;

    /// Had no aliases.
    private static final long THIRD_VERSION = 3;

    private static final long VERSION = 4;

    private static final int ALIAS_DIGITS = 8;

    public SandboxRecord {
        aliases = List.copyOf(aliases);
        layers = List.copyOf(layers);
    }

    /// The use of a key that began it.
    public Optional<RequestKey.Use> use() {
        var key = spec.key();
        return key == null
                ? Optional.empty()
                : Optional.of(new RequestKey.Use.BySandbox(key, spec.tenant(), createdAt, spec.id()));
    }

    public SandboxRecord in(SandboxState other, @Nullable String why) {
        return new SandboxRecord(
                spec,
                aliases,
                layers,
                createdAt,
                uidBase,
                pid,
                other,
                own,
                started || other == SandboxState.RUNNING,
                why,
                project);
    }

    public SandboxRecord running(JobId job) {
        return new SandboxRecord(
                spec, aliases, layers, createdAt, uidBase, 0, SandboxState.CREATING, job, started, null, project);
    }

    public SandboxRecord claimed(int base, int pidOne, int itsProject) {
        return new SandboxRecord(
                spec, aliases, layers, createdAt, base, pidOne, state, own, started, problem, itsProject);
    }

    public SandboxRecord named(@Nullable String name) {
        return new SandboxRecord(
                spec.named(name), aliases, layers, createdAt, uidBase, pid, state, own, started, problem, project);
    }

    /// The short name that a sandbox has unless another of its tenant's has it: the last digits of its id.
    public static String alias(SandboxId id) {
        var text = id.toString();
        return text.substring(text.length() - ALIAS_DIGITS);
    }

    /// Writes it to `path` so that at every moment the old or the new content is there, whole.
    public void write(Path path) throws IOException {
        var aside = path.resolveSibling("." + path.getFileName());
        Files.deleteIfExists(aside);
        Files.createFile(aside, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(aside, encode());
        Files.move(aside, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /// Reads what [#write] wrote.
    ///
    /// @throws IOException if it cannot be read, is damaged or of a newer version
    public static SandboxRecord read(Path path) throws IOException {
        try {
            return decode(Files.readString(path));
        } catch (IllegalArgumentException | NullPointerException | ClassCastException e) {
            throw new IOException(path + " cannot be understood: " + e.getMessage(), e);
        }
    }

    String encode() {
        var limits = spec.limits();
        var out = new LinkedHashMap<String, @Nullable Object>();
        out.put("version", VERSION);
        out.put("id", spec.id().toString());
        out.put("tenant", spec.tenant());
        out.put("name", spec.name());
        out.put("aliases", aliases);
        out.put("state", state.word());
        out.put("problem", problem);
        out.put("image", spec.image().text());
        out.put("layers", layers);
        out.put("command", spec.command().argv());
        out.put("env", spec.command().env());
        out.put("workdir", spec.command().workdir());
        out.put("user", spec.command().user());
        out.put("labels", spec.labels());
        out.put("memory_bytes", limits.memoryBytes());
        out.put("cpu_thousandths", Math.round(limits.cpus() * 1000));
        out.put("pids", (long) limits.pids());
        out.put("output_bytes", limits.outputBytes());
        out.put("disk_bytes", limits.diskBytes());
        out.put("cpuset", limits.cpuset());
        out.put("cpu_weight", (long) limits.cpuWeight());
        out.put("open_files", (long) limits.openFiles());
        out.put("read_bytes", limits.io().readBytes());
        out.put("write_bytes", limits.io().writeBytes());
        out.put("read_operations", limits.io().readOperations());
        out.put("write_operations", limits.io().writeOperations());
        out.put("output_policy", spec.outputPolicy().name());
        out.put("ttl_millis", millis(spec.ttl()));
        out.put("idle_timeout_millis", millis(spec.idleTimeout()));
        out.put("mounts", spec.mounts().stream().map(SandboxRecord::mount).toList());
        var terminal = spec.command().terminal();
        out.put("rows", terminal == null ? null : (long) terminal.rows());
        out.put("columns", terminal == null ? null : (long) terminal.columns());
        var isolation = spec.isolation();
        out.put("network", NetworkRecord.encode(isolation.network()));
        out.put("sysctls", isolation.sysctls().values());
        out.put("seccomp", isolation.seccomp());
        out.put("new_privileges", isolation.rights().newPrivileges() ? 1L : 0L);
        out.put("capabilities", isolation.rights().words());
        var key = spec.key();
        out.put("key", key == null ? null : key.name());
        out.put("key_body", key == null ? null : key.body());
        out.put("created_millis", createdAt.toEpochMilli());
        out.put("uid_base", (long) uidBase);
        out.put("pid", (long) pid);
        out.put("own", own.toString());
        out.put("started", started ? 1L : 0L);
        out.put("project", (long) project);
        return Json.write(out);
    }

    private static Map<String, @Nullable Object> mount(Mount mount) {
        var out = new LinkedHashMap<String, @Nullable Object>();
        switch (mount) {
            case Mount.Volume volume -> out.put("volume", volume.name());
            case Mount.Bind bind -> out.put("bind", bind.source());
            case Mount.Tmpfs tmpfs -> out.put("tmpfs_bytes", tmpfs.bytes());
        }
        out.put("target", mount.target());
        out.put("read_only", mount.readOnly() ? 1L : 0L);
        return out;
    }

    private static List<Mount> mounts(Map<String, @Nullable Object> in) {
        return ((List<?>) value(in, "mounts"))
                .stream()
                        .map(each -> mount((Map<?, ?>) Objects.requireNonNull(each)))
                        .toList();
    }

    private static Mount mount(Map<?, ?> in) {
        var target = (String) Objects.requireNonNull(in.get("target"), "target");
        var readOnly = !Objects.equals(in.get("read_only"), 0L);
        if (in.get("volume") instanceof String name) {
            return new Mount.Volume(name, target, readOnly);
        }
        if (in.get("bind") instanceof String source) {
            return new Mount.Bind(source, target, readOnly);
        }
        return new Mount.Tmpfs(target, (Long) Objects.requireNonNull(in.get("tmpfs_bytes"), "tmpfs_bytes"));
    }

    private static @Nullable Long millis(@Nullable Duration duration) {
        return duration == null ? null : duration.toMillis();
    }

    static SandboxRecord decode(String text) throws IOException {
        var in = Json.readObject(text);
        var version = number(in, "version");
        if (version < FIRST_VERSION || version > VERSION) {
            throw new IOException(
                    "a sandbox record of version " + version + "; this server reads up to version " + VERSION);
        }
        var limits = new Limits(
                number(in, "memory_bytes"),
                number(in, "cpu_thousandths") / 1000.0,
                Math.toIntExact(number(in, "pids")),
                Limits.LONGEST_TIME,
                number(in, "output_bytes"),
                number(in, "disk_bytes"));
        if (version > SECOND_VERSION) {
            limits = limits.on(
                    text(in, "cpuset"),
                    Math.toIntExact(number(in, "cpu_weight")),
                    new Limits.Io(
                            number(in, "read_bytes"),
                            number(in, "write_bytes"),
                            number(in, "read_operations"),
                            number(in, "write_operations")),
                    Math.toIntExact(number(in, "open_files")));
        }
        var spec = new SandboxSpec(
                SandboxId.parse(text(in, "id")).orElseThrow(() -> new IllegalArgumentException("id")),
                text(in, "tenant"),
                (String) in.get("name"),
                new ImageReference(text(in, "image")),
                new Command(
                        texts(in, "command"),
                        pairs(in, "env"),
                        (String) in.get("workdir"),
                        (String) in.get("user"),
                        terminal(in)),
                List.of(),
                limits,
                Job.OutputPolicy.valueOf(text(in, "output_policy")),
                pairs(in, "labels"),
                duration(in, "ttl_millis"),
                duration(in, "idle_timeout_millis"),
                version == FIRST_VERSION ? List.of() : mounts(in),
                new Isolation(
                        NetworkRecord.decode(in.get("network")),
                        in.get("sysctls") == null ? Sysctls.NONE : new Sysctls(pairs(in, "sysctls")),
                        (String) in.get("seccomp"),
                        rights(in)),
                in.get("key") == null ? null : new RequestKey(text(in, "key"), text(in, "key_body")));
        return new SandboxRecord(
                spec,
                version > THIRD_VERSION ? texts(in, "aliases") : List.of(alias(spec.id())),
                texts(in, "layers"),
                Instant.ofEpochMilli(number(in, "created_millis")),
                Math.toIntExact(number(in, "uid_base")),
                Math.toIntExact(number(in, "pid")),
                state(text(in, "state")),
                JobId.parse(text(in, "own")).orElseThrow(() -> new IllegalArgumentException("own")),
                number(in, "started") != 0,
                (String) in.get("problem"),
                in.get("project") == null ? 0 : Math.toIntExact(number(in, "project")));
    }

    private static SandboxState state(String word) {
        for (var state : SandboxState.values()) {
            if (state.word().equals(word)) {
                return state;
            }
        }
        throw new IllegalArgumentException("state " + word);
    }

    private static Object value(Map<String, @Nullable Object> in, String name) {
        return Objects.requireNonNull(in.get(name), name);
    }

    private static String text(Map<String, @Nullable Object> in, String name) {
        return (String) value(in, name);
    }

    private static long number(Map<String, @Nullable Object> in, String name) {
        return (Long) value(in, name);
    }

    private static List<String> texts(Map<String, @Nullable Object> in, String name) {
        return ((List<?>) value(in, name)).stream().map(String.class::cast).toList();
    }

    private static Map<String, String> pairs(Map<String, @Nullable Object> in, String name) {
        var pairs = new LinkedHashMap<String, String>();
        ((Map<?, ?>) value(in, name)).forEach((key, value) -> pairs.put((String) key, (String) value));
        return pairs;
    }

    /// Of a record that was written before there were any: none.
    private static Rights rights(Map<String, @Nullable Object> in) {
        return in.get("capabilities") == null
                ? Rights.NONE
                : Rights.of(number(in, "new_privileges") != 0, texts(in, "capabilities"));
    }

    private static @Nullable Terminal terminal(Map<String, @Nullable Object> in) {
        return in.get("rows") == null
                ? null
                : new Terminal(Math.toIntExact(number(in, "rows")), Math.toIntExact(number(in, "columns")));
    }

    private static @Nullable Duration duration(Map<String, @Nullable Object> in, String name) {
        var millis = in.get(name);
        return millis == null ? null : Duration.ofMillis((Long) millis);
    }
}
