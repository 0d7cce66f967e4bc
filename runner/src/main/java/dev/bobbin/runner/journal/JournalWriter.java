package dev.bobbin.runner.journal;

import dev.bobbin.runner.BuildEvent;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.wire.FieldsWriter;
import dev.bobbin.runner.wire.Wire;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;

/// Writes the journal of a job that this process itself carries out, as PID 1 writes those of programs. Safe for many
/// threads.
public final class JournalWriter implements AutoCloseable {
    private final OutputStream file;
    private final Grown grown;
    private final Map<Output.Stream, Sum> sums = new EnumMap<>(Output.Stream.class);
    private long position;

    /// Hears how far it has grown.
    @FunctionalInterface
    public interface Grown {
        /// It ends there now.
        ///
        /// @param data the last bytes
        void to(long position, ByteBuffer data);
    }

    private static final class Sum {
        private final CRC32C crc = new CRC32C();
        private long bytes;
    }

    /// Begins a journal.
    ///
    /// @param meta its first record
    public static JournalWriter create(Path path, byte[] meta, Grown grown) throws IOException {
        Files.createFile(path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        // no channel: an interrupt, which is how builds are cancelled, would close it
        var writer = new JournalWriter(new FileOutputStream(path.toFile(), true), grown);
        var header = ByteBuffer.allocate(Wire.JOURNAL_HEADER).order(ByteOrder.LITTLE_ENDIAN);
        header.put(Wire.JOURNAL_MAGIC.getBytes(StandardCharsets.US_ASCII)).putInt(Wire.JOURNAL_VERSION);
        writer.write(header.rewind());
        writer.record(Wire.RECORD_META, 0, ByteBuffer.wrap(meta));
        return writer;
    }

    private JournalWriter(OutputStream file, Grown grown) {
        this.file = file;
        this.grown = grown;
        Arrays.stream(Output.Stream.values()).forEach(stream -> sums.put(stream, new Sum()));
    }

    /// The work begins.
    public synchronized void started() throws IOException {
        record(Wire.RECORD_STARTED, 0, ByteBuffer.wrap(new FieldsWriter().payload()));
    }

    /// Something became of it.
    public synchronized void happened(BuildEvent event) throws IOException {
        record(Wire.RECORD_PROGRESS, 0, ByteBuffer.wrap(ProgressRecord.write(event)));
    }

    /// Bytes of a stream.
    public synchronized void output(Output.Stream stream, ByteBuffer data) throws IOException {
        var sum = Objects.requireNonNull(sums.get(stream));
        var left = data.duplicate();
        while (left.hasRemaining()) {
            var part = left.slice(left.position(), Math.min(left.remaining(), Wire.RECORD_LONGEST));
            left.position(left.position() + part.remaining());
            var length = part.remaining();
            sum.crc.update(part.duplicate());
            record(
                    stream == Output.Stream.STDOUT ? Wire.RECORD_STDOUT : Wire.RECORD_STDERR, sum.bytes, part);
            sum.bytes += length;
        }
    }

    /// The end.
    ///
    /// @param end what an END record says besides the sums; they are added
    /// @return all that it says
    public synchronized byte[] ended(FieldsWriter end) throws IOException {
        var stdout = Objects.requireNonNull(sums.get(Output.Stream.STDOUT));
        var stderr = Objects.requireNonNull(sums.get(Output.Stream.STDERR));
        var payload = end.u64(Wire.FIELD_STDOUT_BYTES, stdout.bytes)
                .u32(Wire.FIELD_STDOUT_CRC32C, (int) stdout.crc.getValue())
                .u64(Wire.FIELD_STDERR_BYTES, stderr.bytes)
                .u32(Wire.FIELD_STDERR_CRC32C, (int) stderr.crc.getValue())
                .payload();
        record(Wire.RECORD_END, 0, ByteBuffer.wrap(payload));
        return payload;
    }

    /// Where it ends.
    public synchronized long position() {
        return position;
    }

    private void record(int kind, long offset, ByteBuffer data) throws IOException {
        var now = Instant.now();
        var whole = ByteBuffer.allocate(Wire.RECORD_HEADER + data.remaining()).order(ByteOrder.LITTLE_ENDIAN);
        whole.putInt(data.remaining())
                .put((byte) kind)
                .put(new byte[3])
                .putLong(TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano())
                .putLong(offset)
                .put(data);
        write(whole.flip());
        grown.to(position, whole.rewind());
    }

    private void write(ByteBuffer bytes) throws IOException {
        var length = bytes.remaining();
        file.write(bytes.array(), bytes.arrayOffset() + bytes.position(), length);
        bytes.position(bytes.position() + length);
        position += length;
    }

    @Override
    public synchronized void close() throws IOException {
        file.close();
    }
}
