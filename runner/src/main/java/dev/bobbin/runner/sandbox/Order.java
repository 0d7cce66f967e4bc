package dev.bobbin.runner.sandbox;

import dev.bobbin.image.Identity;
import dev.bobbin.image.store.Rootfs;
import dev.bobbin.runner.InputFile;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.Stdin;
import dev.bobbin.runner.cgroup.Cgroups;
import dev.bobbin.runner.wire.FieldsWriter;
import dev.bobbin.runner.wire.Wire;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The one message that turns a parked sandbox into a running job. Everything is decided here; the init carries it out.
public final class Order {
    /// One inode for so many bytes of disk, and never fewer than [#FEWEST_INODES].
    private static final long BYTES_PER_INODE = 4096;
    private static final long FEWEST_INODES = 1024;
    private static final int HOSTNAME_DIGITS = 12;
    /// For images that name none.
    private static final String DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    private Order() {}

    /// The order for `job`, as a frame.
    ///
    /// @param command the whole command, the image's part included
    /// @param meta written first into the journal
    /// @param orphanGrace see [dev.bobbin.runner.host.HostConfig]
    public static ByteBuffer of(
            Job.Run job,
            List<String> command,
            Rootfs rootfs,
            Identity identity,
            Cgroups cgroups,
            byte[] meta,
            @Nullable Duration orphanGrace) {
        var order = new FieldsWriter().bytes(Wire.FIELD_META, meta);
        command.forEach(argument -> order.text(Wire.FIELD_ARGUMENT, argument));
        var environment = new LinkedHashMap<>(rootfs.config().environment());
        environment.putIfAbsent("HOME", identity.home());
        environment.putIfAbsent("PATH", DEFAULT_PATH);
        environment.putAll(job.env());
        environment.forEach((name, value) -> order.text(Wire.FIELD_ENVIRONMENT, name + "=" + value));
        var workdir = job.workdir();
        order.text(Wire.FIELD_WORKDIR, workdir == null ? rootfs.config().workdir() : workdir)
                .u32(Wire.FIELD_UID, identity.uid())
                .u32(Wire.FIELD_GID, identity.gid());
        identity.groups().forEach(group -> order.u32(Wire.FIELD_GROUP, group));
        order.text(Wire.FIELD_HOSTNAME, hostname(job));
        rootfs.layers().forEach(layer -> order.text(Wire.FIELD_LAYER, layer));
        if (rootfs.hostTrees()) {
            order.empty(Wire.FIELD_HOST_TREES);
        }
        limits(job, cgroups, order);
        stdin(job.stdin(), order);
        job.files().forEach(file -> order.bytes(Wire.FIELD_FILE, file(file)));
        if (orphanGrace != null) {
            order.u64(Wire.FIELD_ORPHAN_MILLIS, orphanGrace.toMillis());
        }
        return order.frame(Wire.FRAME_ORDER);
    }

    private static void limits(Job.Run job, Cgroups cgroups, FieldsWriter order) {
        var limits = job.limits();
        var disk = Math.min(limits.diskBytes(), limits.memoryBytes());
        order.u64(Wire.FIELD_DISK_BYTES, disk)
                .u64(Wire.FIELD_DISK_INODES, Math.max(FEWEST_INODES, disk / BYTES_PER_INODE))
                .u64(Wire.FIELD_TIME_MILLIS, limits.time().toMillis())
                .u64(Wire.FIELD_OUTPUT_BYTES, limits.outputBytes())
                .u32(
                        Wire.FIELD_OUTPUT_POLICY,
                        switch (job.outputPolicy()) {
                            case BLOCK -> Wire.OUTPUT_BLOCK;
                            case KILL -> Wire.OUTPUT_KILL;
                            case DROP -> Wire.OUTPUT_DROP;
                        });
        cgroups.writes(limits).forEach(write -> order.text(Wire.FIELD_CGROUP_WRITE, write));
        cgroups.reads(limits).forEach(read -> order.text(Wire.FIELD_CGROUP_READ, read));
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

    private static String hostname(Job job) {
        var id = job.id().toString();
        return id.substring(id.length() - HOSTNAME_DIGITS);
    }
}
