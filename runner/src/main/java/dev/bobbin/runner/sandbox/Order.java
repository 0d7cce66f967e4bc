package dev.bobbin.runner.sandbox;

import dev.bobbin.image.Identity;
import dev.bobbin.image.store.Rootfs;
import dev.bobbin.runner.InputFile;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Network.Attachment;
import dev.bobbin.runner.Rights;
import dev.bobbin.runner.SandboxId;
import dev.bobbin.runner.SandboxSpec;
import dev.bobbin.runner.Stdin;
import dev.bobbin.runner.Sysctls;
import dev.bobbin.runner.Terminal;
import dev.bobbin.runner.cgroup.Cgroups;
import dev.bobbin.runner.wire.FieldsWriter;
import dev.bobbin.runner.wire.Wire;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The one message that turns a parked sandbox into a running job. Everything is decided here; the init carries it out.
public final class Order {
    /// One inode for so many bytes of disk, and never fewer than [#FEWEST_INODES].
    private static final long BYTES_PER_INODE = 4096;
    private static final long FEWEST_INODES = 1024;
    private static final int HOSTNAME_DIGITS = 8;
    private static final int RLIMIT_NOFILE = 7;
    /// A build that lost its server is over.
    private static final long ORPHAN_MILLIS = 1000;
    private static final int LONGEST_HOSTNAME = 63;
    /// For images that name none.
    private static final String DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// What nearly every terminal understands.
    private static final String DEFAULT_TERM = "xterm";

    private static final Identity ROOT = new Identity(0, 0, List.of(), "/");

    private Order() {}

    /// The order for `job`, as a frame.
    ///
    /// @param command the whole command, the image's part included
    /// @param meta written first into the journal
    /// @param orphanGrace see [dev.bobbin.runner.host.HostConfig]
    /// @param mounts outermost first
    /// @param attachment its place on the bridge; `null` for none
    /// @param filter its own, besides the one that all have; empty for none
    public static ByteBuffer of(
            Job.Run job,
            List<String> command,
            Rootfs rootfs,
            Identity identity,
            Cgroups cgroups,
            byte[] meta,
            @Nullable Duration orphanGrace,
            List<MountOrder> mounts,
            @Nullable Attachment attachment,
            byte[] filter) {
        var order = new FieldsWriter().bytes(Wire.FIELD_META, meta);
        var terminal = job.command().terminal();
        var environment = environment(rootfs, identity, job.command().env(), terminal);
        process(order, command, environment, workdir(rootfs, job.command().workdir()), identity);
        terminal(order, terminal);
        root(order, rootfs, job.id().toString(), mounts);
        network(order, job.id().toString(), attachment);
        sysctls(order, job.isolation().sysctls());
        var limits = job.limits();
        var disk = Math.min(limits.diskBytes(), limits.memoryBytes());
        order.u64(Wire.FIELD_DISK_BYTES, disk)
                .u64(Wire.FIELD_DISK_INODES, Math.max(FEWEST_INODES, disk / BYTES_PER_INODE))
                .u64(Wire.FIELD_TIME_MILLIS, limits.time().toMillis());
        limits(order, limits, cgroups);
        filter(order, filter);
        rights(order, job.isolation().rights());
        ownNetwork(order, job.isolation().rights());
        output(order, limits.outputBytes(), job.outputPolicy());
        stdin(job.stdin(), order);
        job.files().forEach(file -> order.bytes(Wire.FIELD_FILE, file(file)));
        if (orphanGrace != null) {
            order.u64(Wire.FIELD_ORPHAN_MILLIS, orphanGrace.toMillis());
        }
        return order.frame(Wire.FRAME_ORDER);
    }

    /// The order for a sandbox that lasts, as a frame. Its files are laid only if `first`: afterwards they are the
    /// sandbox's own.
    public static ByteBuffer lasting(
            SandboxSpec spec,
            Rootfs rootfs,
            Identity identity,
            Cgroups cgroups,
            byte[] meta,
            boolean first,
            List<MountOrder> mounts,
            @Nullable Attachment attachment,
            byte[] filter) {
        var order = new FieldsWriter().bytes(Wire.FIELD_META, meta).empty(Wire.FIELD_LASTING);
        var command = spec.command();
        var environment = environment(rootfs, identity, command.env(), command.terminal());
        process(order, command.argv(), environment, workdir(rootfs, command.workdir()), identity);
        if (command.terminal() != null) {
            terminal(order, command.terminal());
            stdin(new Stdin.Open(), order);
        }
        var name = spec.name() == null ? spec.id().toString() : spec.name();
        root(order, rootfs, name, mounts);
        network(order, name, attachment);
        sysctls(order, spec.isolation().sysctls());
        limits(order, spec.limits(), cgroups);
        filter(order, filter);
        rights(order, spec.isolation().rights());
        ownNetwork(order, spec.isolation().rights());
        output(order, spec.limits().outputBytes(), spec.outputPolicy());
        if (first) {
            spec.files().forEach(file -> order.bytes(Wire.FIELD_FILE, file(file)));
        }
        return order.frame(Wire.FRAME_ORDER);
    }

    /// The order for a sandbox that lasts and is entered only, to work on its files: it idles whatever its command is.
    public static ByteBuffer visit(
            SandboxSpec spec, Rootfs rootfs, Cgroups cgroups, byte[] meta, List<MountOrder> mounts) {
        var order = new FieldsWriter().bytes(Wire.FIELD_META, meta).empty(Wire.FIELD_LASTING);
        process(order, List.of(), Map.of(), "/", ROOT);
        root(order, rootfs, spec.id().toString(), mounts);
        limits(order, spec.limits(), cgroups);
        output(order, spec.limits().outputBytes(), Job.OutputPolicy.DROP);
        return order.frame(Wire.FRAME_ORDER);
    }

    /// Asks for work on the files of a sandbox that lasts, as its root.
    public static ByteBuffer files(Job.Exec job, byte[] meta) {
        var order = new FieldsWriter()
                .text(Wire.FIELD_EXEC, job.id().toString())
                .text(Wire.FIELD_JOURNAL, job.id().toString())
                .bytes(Wire.FIELD_META, meta)
                .empty(Wire.FIELD_FILES);
        process(order, job.command().argv(), Map.of(), "/", ROOT);
        order.u64(Wire.FIELD_TIME_MILLIS, job.time().toMillis());
        output(order, job.outputBytes(), job.outputPolicy());
        stdin(job.stdin(), order);
        return order.frame(Wire.FRAME_EXEC);
    }

    /// Asks for one more process in the sandbox that `spec` describes.
    public static ByteBuffer exec(
            Job.Exec job,
            SandboxSpec spec,
            Rootfs rootfs,
            Identity identity,
            Cgroups cgroups,
            byte[] meta,
            byte[] filter) {
        var order = new FieldsWriter()
                .text(Wire.FIELD_EXEC, job.id().toString())
                .text(Wire.FIELD_JOURNAL, job.id().toString())
                .bytes(Wire.FIELD_META, meta);
        var command = job.command();
        var environment = new LinkedHashMap<>(spec.command().env());
        environment.putAll(command.env());
        var workdir = command.workdir() == null ? spec.command().workdir() : command.workdir();
        process(
                order,
                command.argv(),
                environment(rootfs, identity, environment, command.terminal()),
                workdir(rootfs, workdir),
                identity);
        terminal(order, command.terminal());
        order.u64(Wire.FIELD_TIME_MILLIS, job.time().toMillis());
        cgroups.reads(spec.limits()).stream()
                .filter(read -> read.contains("\nmemory."))
                .forEach(read -> order.text(Wire.FIELD_CGROUP_READ, read));
        openFiles(order, spec.limits());
        filter(order, filter);
        rights(order, spec.isolation().rights());
        output(order, job.outputBytes(), job.outputPolicy());
        stdin(job.stdin(), order);
        return order.frame(Wire.FRAME_EXEC);
    }

    /// The order for a command of a build, which is a job whose files stay where those of sandboxes that last are.
    public static ByteBuffer building(
            Job.Run job,
            Rootfs rootfs,
            Identity identity,
            Cgroups cgroups,
            byte[] meta,
            List<MountOrder> mounts,
            @Nullable Attachment attachment) {
        var order = new FieldsWriter().bytes(Wire.FIELD_META, meta).empty(Wire.FIELD_VOLATILE);
        process(
                order,
                job.command().argv(),
                environment(rootfs, identity, job.command().env(), null),
                workdir(rootfs, job.command().workdir()),
                identity);
        root(order, rootfs, job.id().toString(), mounts);
        network(order, job.id().toString(), attachment);
        order.u64(Wire.FIELD_TIME_MILLIS, job.limits().time().toMillis());
        limits(order, job.limits(), cgroups);
        output(order, job.limits().outputBytes(), job.outputPolicy());
        stdin(job.stdin(), order);
        return order.u64(Wire.FIELD_ORPHAN_MILLIS, ORPHAN_MILLIS).frame(Wire.FRAME_ORDER);
    }

    private static Map<String, String> environment(
            Rootfs rootfs, Identity identity, Map<String, String> own, @Nullable Terminal terminal) {
        var environment = new LinkedHashMap<>(rootfs.config().environment());
        environment.putIfAbsent("HOME", identity.home());
        environment.putIfAbsent("PATH", DEFAULT_PATH);
        if (terminal != null) {
            environment.putIfAbsent("TERM", DEFAULT_TERM);
        }
        environment.putAll(own);
        return environment;
    }

    private static void terminal(FieldsWriter order, @Nullable Terminal terminal) {
        if (terminal != null) {
            order.u32(Wire.FIELD_ROWS, terminal.rows()).u32(Wire.FIELD_COLUMNS, terminal.columns());
        }
    }

    private static String workdir(Rootfs rootfs, @Nullable String own) {
        return own == null ? rootfs.config().workdir() : own;
    }

    private static void process(
            FieldsWriter order,
            List<String> command,
            Map<String, String> environment,
            String workdir,
            Identity identity) {
        command.forEach(argument -> order.text(Wire.FIELD_ARGUMENT, argument));
        environment.forEach((name, value) -> order.text(Wire.FIELD_ENVIRONMENT, name + "=" + value));
        order.text(Wire.FIELD_WORKDIR, workdir)
                .u32(Wire.FIELD_UID, identity.uid())
                .u32(Wire.FIELD_GID, identity.gid());
        identity.groups().forEach(group -> order.u32(Wire.FIELD_GROUP, group));
    }

    private static void root(FieldsWriter order, Rootfs rootfs, String hostname, List<MountOrder> mounts) {
        mounts.forEach(mount -> order.bytes(Wire.FIELD_MOUNT, mount.encode()));
        order.text(Wire.FIELD_HOSTNAME, hostname(hostname));
        rootfs.layers().forEach(layer -> order.text(Wire.FIELD_LAYER, layer));
        if (rootfs.hostTrees()) {
            order.empty(Wire.FIELD_HOST_TREES);
        }
    }

    private static void network(FieldsWriter order, String hostname, @Nullable Attachment attachment) {
        if (attachment == null) {
            return;
        }
        var addresses = ByteBuffer.allocate(2 * Integer.BYTES)
                .put(attachment.address().getAddress())
                .put(attachment.gateway().getAddress());
        var own = attachment.address().getHostAddress() + " " + hostname(hostname);
        order.bytes(Wire.FIELD_NETWORK, addresses.array())
                .text(Wire.FIELD_HOSTS, "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n" + own + "\n")
                .text(Wire.FIELD_RESOLVERS, "nameserver " + attachment.gateway().getHostAddress() + "\n");
    }

    private static void sysctls(FieldsWriter order, Sysctls sysctls) {
        sysctls.values().forEach((name, value) -> order.text(Wire.FIELD_SYSCTL, name + "=" + value));
    }

    private static void limits(FieldsWriter order, Limits limits, Cgroups cgroups) {
        cgroups.writes(limits).forEach(write -> order.text(Wire.FIELD_CGROUP_WRITE, write));
        cgroups.reads(limits).forEach(read -> order.text(Wire.FIELD_CGROUP_READ, read));
        openFiles(order, limits);
    }

    private static void openFiles(FieldsWriter order, Limits limits) {
        if (limits.openFiles() > 0) {
            var limit = ByteBuffer.allocate(Integer.BYTES + 2 * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            limit.putInt(RLIMIT_NOFILE).putLong(limits.openFiles()).putLong(limits.openFiles());
            order.bytes(Wire.FIELD_RLIMIT, limit.array());
        }
    }

    private static void filter(FieldsWriter order, byte[] filter) {
        if (filter.length > 0) {
            order.bytes(Wire.FIELD_FILTER, filter);
        }
    }

    private static void rights(FieldsWriter order, Rights rights) {
        if (!rights.capabilities().isEmpty()) {
            order.u64(Wire.FIELD_CAPABILITIES, rights.mask());
        }
        if (rights.newPrivileges()) {
            order.empty(Wire.FIELD_NEW_PRIVILEGES);
        }
    }

    private static void ownNetwork(FieldsWriter order, Rights rights) {
        if (rights.ofNetwork()) {
            order.empty(Wire.FIELD_OWN_NETWORK);
        }
    }

    private static void output(FieldsWriter order, long bytes, Job.OutputPolicy policy) {
        order.u64(Wire.FIELD_OUTPUT_BYTES, bytes)
                .u32(
                        Wire.FIELD_OUTPUT_POLICY,
                        switch (policy) {
                            case BLOCK -> Wire.OUTPUT_BLOCK;
                            case KILL -> Wire.OUTPUT_KILL;
                            case DROP -> Wire.OUTPUT_DROP;
                        });
    }

    private static void stdin(Stdin stdin, FieldsWriter order) {
        switch (stdin) {
            case Stdin.Empty _ -> order.u32(Wire.FIELD_STDIN_POLICY, Wire.STDIN_EMPTY);
            case Stdin.Bytes bytes ->
                order.u32(Wire.FIELD_STDIN_POLICY, Wire.STDIN_BYTES).bytes(Wire.FIELD_DATA, bytes.data());
            case Stdin.Open _ -> order.u32(Wire.FIELD_STDIN_POLICY, Wire.STDIN_OPEN);
        }
    }

    private static byte[] file(InputFile file) {
        var path = file.path().getBytes(StandardCharsets.UTF_8);
        var out = ByteBuffer.allocate(2 * Integer.BYTES + path.length + file.data().length)
                .order(ByteOrder.LITTLE_ENDIAN);
        return out.putInt(file.mode())
                .putInt(path.length)
                .put(path)
                .put(file.data())
                .array();
    }

    /// What a machine may be called: a sandbox's name, or the last digits of an id.
    public static String hostname(String name) {
        if (SandboxId.parse(name).isPresent()) {
            return name.substring(name.length() - HOSTNAME_DIGITS);
        }
        var plain = name.replace('_', '-');
        return plain.length() > LONGEST_HOSTNAME ? plain.substring(0, LONGEST_HOSTNAME) : plain;
    }
}
