package dev.bobbin.runner.host;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.bobbin.image.Digest;
import dev.bobbin.image.ImageReference;
import dev.bobbin.runner.Ending;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import dev.bobbin.runner.Limits;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.Network.Attachment;
import dev.bobbin.runner.Outcome;
import dev.bobbin.runner.RequestKey;
import dev.bobbin.runner.StartTimeline;
import dev.bobbin.runner.StartTimeline.Phase;
import dev.bobbin.runner.journal.Journal;
import dev.bobbin.runner.journal.Precedence;
import dev.bobbin.runner.wire.Fields;
import dev.bobbin.runner.wire.FieldsWriter;
import dev.bobbin.runner.wire.FrameChannel;
import dev.bobbin.runner.wire.Wire;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the server reads from sockets and disks, changed at random: it must be understood or refused with an
/// [IOException], never loop, and never fail in any other way. `-Dbobbin.seed=` repeats a run, `-Dbobbin.fuzz.seconds=`
/// makes it longer.
class DecodersTest {
    private static final Ending EXITED = new Ending(
            new Outcome.Exited(0),
            Ending.Total.NOTHING,
            Ending.Total.NOTHING,
            Ending.Usage.UNKNOWN,
            StartTimeline.begin());

    @TempDir
    Path directory;

    @Test
    void surviveEveryMutationOfAJournal() {
        var file = directory.resolve("journal");
        var understood = Mutations.survive("journal", 1500, random -> {
            Files.write(file, Mutations.mutate(random, journal(random)));
            Journal.bytesOnDisk(file);
            var contents = Journal.contents(file);
            var journal = new Journal(file, new Precedence(), _ -> {});
            journal.grew(contents.isPresent() ? contents.get().position() : Files.size(file), null);
            journal.finish(0, null, EXITED);
            var from = random.nextBoolean() ? 0 : random.nextLong(Files.size(file) + 2);
            try {
                journal.read(from, random.nextBoolean(), _ -> {});
            } catch (IllegalArgumentException _) {
                // nothing begins there, which a reader is told
            }
            if (contents.isPresent()) {
                JobMeta.decode(contents.get().meta());
                var end = contents.get().end();
                if (end != null) {
                    Verdict.read(end, StartTimeline.begin());
                }
            }
        });
        assertThat(understood).as("journals that were understood all the same").isPositive();
    }

    @Test
    void surviveEveryMutationOfAJobsRecord() {
        var understood = Mutations.survive(
                "job's record", 20_000, random -> JobMeta.decode(Mutations.mutate(random, meta(random))));
        assertThat(understood).isPositive();
    }

    @Test
    void surviveEveryMutationOfAnEnd() {
        var understood = Mutations.survive("end", 20_000, random -> {
            var fields = Fields.decode(ByteBuffer.wrap(Mutations.mutate(random, end(random))));
            Verdict.read(fields, StartTimeline.begin());
        });
        assertThat(understood).isPositive();
    }

    @Test
    void surviveEveryMutationOfFrames() throws IOException {
        var address = UnixDomainSocketAddress.of(directory.resolve("socket"));
        try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(address);
            var understood = Mutations.survive("frames", 1500, random -> {
                var bytes = new ByteArrayOutputStream();
                for (var frame = random.nextInt(4); frame >= 0; frame--) {
                    var whole = new FieldsWriter()
                            .u64(Wire.FIELD_POSITION, random.nextLong())
                            .bytes(Wire.FIELD_DATA, new byte[random.nextInt(300)])
                            .frame(Wire.FRAME_GREW);
                    var copy = new byte[whole.remaining()];
                    whole.get(copy);
                    bytes.writeBytes(copy);
                }
                try (var channel = FrameChannel.connect(address.getPath());
                        var peer = server.accept()) {
                    peer.write(ByteBuffer.wrap(Mutations.mutate(random, bytes.toByteArray())));
                    peer.shutdownOutput();
                    for (var frame = channel.receive(); frame != null; frame = channel.receive()) {
                        frame.fields().requireU64(Wire.FIELD_POSITION);
                        frame.fields().bytes(Wire.FIELD_DATA);
                    }
                }
            });
            assertThat(understood).isPositive();
        }
    }

    private static byte[] meta(Random random) {
        var timeline = StartTimeline.begin();
        timeline.stamp(Phase.ADMIT);
        timeline.stamp(Phase.PLACE);
        return new JobMeta(
                        JobId.next(),
                        "default",
                        "run",
                        ImageReference.HOST,
                        List.of("sh", "-c", "true"),
                        Map.of("a", "b"),
                        Instant.now(),
                        timeline,
                        random.nextBoolean() ? Job.OnDisconnect.KILL : Job.OnDisconnect.CONTINUE,
                        random.nextBoolean(),
                        random.nextBoolean(),
                        random.nextLong(),
                        random.nextBoolean()
                                ? Limits.DEFAULT
                                : new Limits(8 << 20, 0.5, 5, Duration.ofSeconds(1), 1, 1 << 20),
                        random.nextBoolean() ? Set.of() : Set.of("swap"),
                        random.nextBoolean() ? List.of() : List.of("upper", "lower"),
                        random.nextBoolean() ? List.of() : List.of("data"),
                        random.nextBoolean() ? null : attachment(),
                        random.nextBoolean() ? null : "restrictive",
                        random.nextBoolean() ? null : RequestKey.of("default", "word", Digest.sha256("what was asked")))
                .encode();
    }

    private static Attachment attachment() {
        var port = new Network.PublishedPort(Network.Protocol.TCP, Network.PublishedPort.LOOPBACK, 8080, 80);
        var bridge = new Network.Bridge("shop", List.of("db"), List.of(port), Network.Egress.INTERNET);
        return new Attachment(Inet4Address.ofLiteral("10.128.0.7"), Inet4Address.ofLiteral("10.128.0.1"), bridge);
    }

    private static byte[] end(Random random) {
        var reasons = List.of(
                Wire.REASON_EXITED,
                Wire.REASON_TIME,
                Wire.REASON_OUTPUT,
                Wire.REASON_CANCELLED,
                Wire.REASON_ORPHANED,
                Wire.REASON_EXEC,
                Wire.REASON_SETUP);
        return new FieldsWriter()
                .u64(Wire.FIELD_STAMP_EXEC, random.nextLong())
                .u32(Wire.FIELD_REASON, reasons.get(random.nextInt(reasons.size())))
                .u32(Wire.FIELD_STATUS, random.nextInt(1 << 16))
                .text(Wire.FIELD_BY, "api")
                .u32(Wire.FIELD_ERRNO, random.nextInt(130))
                .text(Wire.FIELD_WHAT, "mount the overlay")
                .u64(Wire.FIELD_STDOUT_BYTES, random.nextInt(1000))
                .u32(Wire.FIELD_STDOUT_CRC32C, random.nextInt())
                .text(
                        Wire.FIELD_EVIDENCE,
                        "memory\nmemory.oom_control\noom_kill_disable 0\noom_kill " + random.nextInt(3))
                .text(Wire.FIELD_EVIDENCE, "memory\nmemory.max_usage_in_bytes\n" + random.nextLong())
                .text(Wire.FIELD_EVIDENCE, "cpu\ncpu.stat\nnr_throttled 3\nthrottled_time 17")
                .payload();
    }

    /// A journal as PID 1 writes it, sometimes without a gap, sometimes without an end.
    private static byte[] journal(Random random) {
        var journal = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
        journal.put(Wire.JOURNAL_MAGIC.getBytes(US_ASCII))
                .putInt(Wire.JOURNAL_VERSION)
                .putInt(0);
        append(journal, Wire.RECORD_META, 0, meta(random));
        if (random.nextBoolean()) {
            var mark = ByteBuffer.allocate(2 * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            if (random.nextBoolean()) {
                mark.putLong(journal.position() + 40).putLong(journal.position() + 40 + random.nextInt(200));
            }
            append(journal, Wire.RECORD_GAP, 0, mark.array());
        }
        append(
                journal,
                Wire.RECORD_STARTED,
                0,
                new FieldsWriter().u64(Wire.FIELD_STAMP_EXEC, 1).payload());
        var offsets = new long[2];
        for (var record = random.nextInt(6); record > 0; record--) {
            var stream = random.nextInt(2);
            var data = new byte[random.nextInt(3000)];
            append(journal, Wire.RECORD_STDOUT + stream, offsets[stream], data);
            offsets[stream] += data.length;
        }
        if (random.nextInt(4) > 0) {
            append(journal, Wire.RECORD_END, 0, end(random));
        }
        var bytes = new byte[journal.position()];
        journal.get(0, bytes);
        return bytes;
    }

    private static void append(ByteBuffer journal, int kind, long offset, byte[] data) {
        journal.putInt(data.length).putInt(kind).putLong(1).putLong(offset).put(data);
    }
}
