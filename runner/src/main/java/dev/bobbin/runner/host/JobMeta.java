package dev.bobbin.runner.host;

import dev.bobbin.image.ImageReference;
import dev.bobbin.image.store.Rootfs;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Mount;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.Network.Attachment;
import dev.bobbin.runner.RequestKey;
import dev.bobbin.runner.SandboxSpec;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.Stdin;
import dev.bobbin.runner.sandbox.NetworkRecord;
import dev.bobbin.runner.wire.Fields;
import dev.bobbin.runner.wire.FieldsWriter;
import dev.bobbin.runner.wire.WireException;
import java.net.Inet4Address;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// What a journal says first: whose job it is, and what must be known of it after a restart of the server. Environment,
/// input and secrets are not in it.
///
/// @param timeline the phases that were over when the order was given
/// @param stdinOpen whether standard input may be fed while it runs
/// @param terminal whether it has one
/// @param blockAfterBytes output after which the program waits for its readers; [Long#MAX_VALUE] for never
/// @param limits `null` if an older server did not note them
/// @param unenforcedLimits names of those that this machine cannot keep
/// @param layers what it runs on, by the names of its [Rootfs]
/// @param volumes names of those that are mounted for it alone; a sandbox that lasts has a record of its own
/// @param attachment of its sandbox to the bridge; `null` for none, or if it is an exec
/// @param seccomp name of its own profile of system calls; `null` for none
/// @param key of the request that began it; `null` for none
record JobMeta(
        JobId id,
        String tenant,
        String kind,
        ImageReference image,
        List<String> command,
        Map<String, String> labels,
        Instant createdAt,
        StartTimeline timeline,
        Job.OnDisconnect onDisconnect,
        boolean stdinOpen,
        boolean terminal,
        long blockAfterBytes,
        @Nullable Limits limits,
        Set<String> unenforcedLimits,
        List<String> layers,
        List<String> volumes,
        @Nullable Attachment attachment,
        @Nullable String seccomp,
        @Nullable RequestKey key) {

    static final String RUN = "run";
    static final String SANDBOX = "sandbox";
    static final String BUILD = "build";
    /// Work on the files of a sandbox, which is nobody's job.
    static final String FILES = "files";

    private static final int VERSION = 1;

    private static final int VERSION_TAG = 1;
    private static final int ID = 2;
    private static final int TENANT = 3;
    private static final int KIND = 4;
    private static final int IMAGE = 5;
    private static final int ARGUMENT = 6;
    private static final int LABEL = 7;
    private static final int CREATED_MILLIS = 8;
    private static final int ACCEPTED_NANOS = 9;
    private static final int CONTINUES = 10;
    private static final int STDIN_OPEN = 11;
    private static final int BLOCK_AFTER_BYTES = 12;
    private static final int PATH = 13;
    private static final int PHASE = 14;
    private static final int MEMORY_BYTES = 15;
    private static final int CPU_THOUSANDTHS = 16;
    private static final int PIDS = 17;
    private static final int TIME_MILLIS = 18;
    private static final int OUTPUT_BYTES = 19;
    private static final int DISK_BYTES = 20;
    private static final int UNENFORCED = 21;
    private static final int LAYER = 22;
    private static final int TERMINAL = 23;
    private static final int VOLUME = 24;
    private static final int CPUSET = 25;
    private static final int CPU_WEIGHT = 26;
    private static final int OPEN_FILES = 27;
    private static final int READ_BYTES = 28;
    private static final int WRITE_BYTES = 29;
    private static final int READ_OPERATIONS = 30;
    private static final int WRITE_OPERATIONS = 31;
    private static final int ADDRESS = 32;
    private static final int GATEWAY = 33;
    private static final int NETWORK = 34;
    private static final int SECCOMP = 35;
    private static final int KEY_NAME = 40;
    private static final int KEY_BODY = 41;

    JobMeta {
        unenforcedLimits = Set.copyOf(unenforcedLimits);
        layers = List.copyOf(layers);
        volumes = List.copyOf(volumes);
    }

    static JobMeta of(
            Job.Run job,
            Rootfs rootfs,
            List<String> command,
            Set<String> unenforcedLimits,
            StartTimeline timeline,
            @Nullable Attachment attachment) {
        return new JobMeta(
                job.id(),
                job.tenant(),
                job.kind(),
                rootfs.reference(),
                command,
                job.labels(),
                Instant.now(),
                timeline,
                job.onDisconnect(),
                job.stdin() instanceof Stdin.Open,
                job.command().terminal() != null,
                blockAfter(job.outputPolicy(), job.limits().outputBytes()),
                job.limits(),
                unenforcedLimits,
                rootfs.layers(),
                Mount.volumes(job.mounts()),
                attachment,
                job.isolation().seccomp(),
                job.key());
    }

    /// Of the own process of a sandbox that lasts.
    static JobMeta of(
            SandboxSpec spec,
            JobId id,
            Rootfs rootfs,
            Set<String> unenforcedLimits,
            StartTimeline timeline,
            @Nullable Attachment attachment) {
        var limits = spec.limits();
        return new JobMeta(
                id,
                spec.tenant(),
                SANDBOX,
                rootfs.reference(),
                spec.command().argv(),
                spec.labels(),
                Instant.now(),
                timeline,
                Job.OnDisconnect.CONTINUE,
                spec.command().terminal() != null,
                spec.command().terminal() != null,
                blockAfter(spec.outputPolicy(), limits.outputBytes()),
                limits.within(Limits.LONGEST_TIME, limits.outputBytes()),
                unenforcedLimits,
                rootfs.layers(),
                List.of(),
                attachment,
                spec.isolation().seccomp(),
                null);
    }

    /// @param sandbox in which it runs
    static JobMeta of(
            Job.Exec job, Rootfs rootfs, SandboxSpec sandbox, Set<String> unenforcedLimits, StartTimeline timeline) {
        return new JobMeta(
                job.id(),
                job.tenant(),
                job.kind(),
                rootfs.reference(),
                job.command().argv(),
                job.labels(),
                Instant.now(),
                timeline,
                job.onDisconnect(),
                job.stdin() instanceof Stdin.Open,
                job.command().terminal() != null,
                blockAfter(job.outputPolicy(), job.outputBytes()),
                sandbox.limits().within(job.time(), job.outputBytes()),
                unenforcedLimits,
                rootfs.layers(),
                List.of(),
                null,
                sandbox.isolation().seccomp(),
                job.key());
    }

    /// The same, as work on files.
    JobMeta ofFiles() {
        return new JobMeta(
                id,
                tenant,
                FILES,
                image,
                command,
                labels,
                createdAt,
                timeline,
                onDisconnect,
                stdinOpen,
                terminal,
                blockAfterBytes,
                limits,
                unenforcedLimits,
                layers,
                volumes,
                attachment,
                null,
                null);
    }

    private static long blockAfter(Job.OutputPolicy policy, long bytes) {
        return policy == Job.OutputPolicy.BLOCK ? bytes : Long.MAX_VALUE;
    }

    /// What happens to output past its limit; `kill` drops nothing, so that of `drop` stands for it.
    Job.OutputPolicy outputPolicy() {
        return blockAfterBytes == Long.MAX_VALUE ? Job.OutputPolicy.DROP : Job.OutputPolicy.BLOCK;
    }

    byte[] encode() {
        var out = new FieldsWriter()
                .u32(VERSION_TAG, VERSION)
                .text(ID, id.toString())
                .text(TENANT, tenant)
                .text(KIND, kind)
                .text(IMAGE, image.text())
                .u64(CREATED_MILLIS, createdAt.toEpochMilli())
                .u64(ACCEPTED_NANOS, timeline.acceptedNanos())
                .text(PATH, timeline.path().word());
        for (var phase : StartTimeline.Phase.values()) {
            timeline.micros(phase).ifPresent(micros -> out.text(PHASE, phase.word() + "=" + micros));
        }
        command.forEach(argument -> out.text(ARGUMENT, argument));
        labels.forEach((name, value) -> out.text(LABEL, name + "\0" + value));
        if (onDisconnect == Job.OnDisconnect.CONTINUE) {
            out.empty(CONTINUES);
        }
        if (stdinOpen) {
            out.empty(STDIN_OPEN);
        }
        if (terminal) {
            out.empty(TERMINAL);
        }
        if (limits != null) {
            out.u64(MEMORY_BYTES, limits.memoryBytes())
                    .u64(CPU_THOUSANDTHS, Math.round(limits.cpus() * 1000))
                    .u64(PIDS, limits.pids())
                    .u64(TIME_MILLIS, limits.time().toMillis())
                    .u64(OUTPUT_BYTES, limits.outputBytes())
                    .u64(DISK_BYTES, limits.diskBytes());
            rare(out, limits);
        }
        unenforcedLimits.forEach(name -> out.text(UNENFORCED, name));
        layers.forEach(name -> out.text(LAYER, name));
        volumes.forEach(name -> out.text(VOLUME, name));
        if (attachment != null) {
            out.text(ADDRESS, attachment.address().getHostAddress())
                    .text(GATEWAY, attachment.gateway().getHostAddress())
                    .text(NETWORK, NetworkRecord.write(attachment.bridge()));
        }
        if (seccomp != null) {
            out.text(SECCOMP, seccomp);
        }
        if (key != null) {
            out.text(KEY_NAME, key.name()).text(KEY_BODY, key.body());
        }
        return out.u64(BLOCK_AFTER_BYTES, blockAfterBytes).payload();
    }

    private static void rare(FieldsWriter out, Limits limits) {
        if (!limits.cpuset().isEmpty()) {
            out.text(CPUSET, limits.cpuset());
        }
        rare(out, CPU_WEIGHT, limits.cpuWeight());
        rare(out, OPEN_FILES, limits.openFiles());
        rare(out, READ_BYTES, limits.io().readBytes());
        rare(out, WRITE_BYTES, limits.io().writeBytes());
        rare(out, READ_OPERATIONS, limits.io().readOperations());
        rare(out, WRITE_OPERATIONS, limits.io().writeOperations());
    }

    private static void rare(FieldsWriter out, int tag, long value) {
        if (value > 0) {
            out.u64(tag, value);
        }
    }

    private static long rare(Fields fields, int tag) throws WireException {
        return fields.has(tag) ? fields.requireU64(tag) : 0;
    }

    private static @Nullable Limits limits(Fields fields) throws WireException {
        if (!fields.has(MEMORY_BYTES)) {
            return null;
        }
        return new Limits(
                fields.requireU64(MEMORY_BYTES),
                fields.requireU64(CPU_THOUSANDTHS) / 1000.0,
                Math.toIntExact(fields.requireU64(PIDS)),
                Duration.ofMillis(fields.requireU64(TIME_MILLIS)),
                fields.requireU64(OUTPUT_BYTES),
                fields.requireU64(DISK_BYTES),
                fields.has(CPUSET) ? fields.requireText(CPUSET) : "",
                Math.toIntExact(rare(fields, CPU_WEIGHT)),
                new Limits.Io(
                        rare(fields, READ_BYTES),
                        rare(fields, WRITE_BYTES),
                        rare(fields, READ_OPERATIONS),
                        rare(fields, WRITE_OPERATIONS)),
                Math.toIntExact(rare(fields, OPEN_FILES)));
    }

    /// @throws WireException if it is not what [#encode] gives, down to its last value: a damaged journal must not keep
    ///         a server from the others
    static JobMeta decode(byte[] bytes) throws WireException {
        try {
            return decode(Fields.decode(ByteBuffer.wrap(bytes)));
        } catch (IllegalArgumentException | IndexOutOfBoundsException | ArithmeticException e) {
            throw new WireException("a job record with a value that cannot be: " + e.getMessage());
        }
    }

    private static JobMeta decode(Fields fields) throws WireException {
        var version = fields.requireU32(VERSION_TAG);
        if (version != VERSION) {
            throw new WireException("a job record of version " + version + "; this server reads version " + VERSION);
        }
        var labels = new LinkedHashMap<String, String>();
        for (var label : fields.texts(LABEL)) {
            var end = label.indexOf('\0');
            labels.put(label.substring(0, end), label.substring(end + 1));
        }
        var id = fields.requireText(ID);
        return new JobMeta(
                JobId.parse(id).orElseThrow(() -> new WireException("no job id: " + id)),
                fields.requireText(TENANT),
                fields.requireText(KIND),
                new ImageReference(fields.requireText(IMAGE)),
                fields.texts(ARGUMENT),
                labels,
                Instant.ofEpochMilli(fields.requireU64(CREATED_MILLIS)),
                timeline(fields),
                fields.has(CONTINUES) ? Job.OnDisconnect.CONTINUE : Job.OnDisconnect.KILL,
                fields.has(STDIN_OPEN),
                fields.has(TERMINAL),
                fields.requireU64(BLOCK_AFTER_BYTES),
                limits(fields),
                Set.copyOf(fields.texts(UNENFORCED)),
                fields.texts(LAYER),
                fields.texts(VOLUME),
                attachment(fields),
                fields.has(SECCOMP) ? fields.requireText(SECCOMP) : null,
                fields.has(KEY_NAME)
                        ? new RequestKey(fields.requireText(KEY_NAME), fields.requireText(KEY_BODY))
                        : null);
    }

    private static @Nullable Attachment attachment(Fields fields) throws WireException {
        if (!fields.has(NETWORK)) {
            return null;
        }
        if (NetworkRecord.read(fields.requireText(NETWORK)) instanceof Network.Bridge bridge) {
            return new Attachment(
                    Inet4Address.ofLiteral(fields.requireText(ADDRESS)),
                    Inet4Address.ofLiteral(fields.requireText(GATEWAY)),
                    bridge);
        }
        throw new WireException("an address without a bridge");
    }

    private static StartTimeline timeline(Fields fields) throws WireException {
        var accepted = fields.requireU64(ACCEPTED_NANOS);
        var timeline = StartTimeline.beganAt(accepted);
        var path = fields.requireText(PATH);
        for (var known : StartTimeline.Path.values()) {
            if (known.word().equals(path)) {
                timeline.path(known);
            }
        }
        for (var text : fields.texts(PHASE)) {
            for (var phase : StartTimeline.Phase.values()) {
                if (text.startsWith(phase.word() + "=")) {
                    var micros = Long.parseLong(text.substring(phase.word().length() + 1));
                    timeline.stamp(phase, accepted + TimeUnit.MICROSECONDS.toNanos(micros));
                }
            }
        }
        return timeline;
    }
}
