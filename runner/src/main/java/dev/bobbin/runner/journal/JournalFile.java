package dev.bobbin.runner.journal;

import dev.bobbin.runner.wire.Fields;
import dev.bobbin.runner.wire.Wire;
import dev.bobbin.runner.wire.WireException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A journal on disk, read by position. Not for several threads.
final class JournalFile implements AutoCloseable {
    /// Journals of version 1 have no GAP record and are otherwise the same.
    private static final int OLDEST_VERSION = 1;

    private static final long UNKNOWN = -1;
    private static final long NONE = 0;

    private final FileChannel channel;
    /// Where the GAP record is, if it is known and there is one.
    private long gap = UNKNOWN;

    /// The records from `from` to before `low` are gone.
    record Hole(long from, long low) {
        static final Hole NONE = new Hole(0, 0);

        boolean covers(long position) {
            return position >= from && position < low;
        }

        long bytes() {
            return low - from;
        }
    }

    private JournalFile(FileChannel channel) {
        this.channel = channel;
    }

    /// @throws WireException if it is not a journal, or one of a newer version
    static JournalFile open(Path path) throws IOException {
        var channel = FileChannel.open(path, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
        try {
            var file = new JournalFile(channel);
            var header = file.read(0, Wire.JOURNAL_HEADER);
            var magic = new byte[Wire.JOURNAL_MAGIC.length()];
            if (header.remaining() == Wire.JOURNAL_HEADER) {
                header.get(magic);
            }
            if (!new String(magic, StandardCharsets.US_ASCII).equals(Wire.JOURNAL_MAGIC)) {
                throw new WireException(path + " is not a journal");
            }
            var version = header.getInt();
            if (version < OLDEST_VERSION || version > Wire.JOURNAL_VERSION) {
                throw new WireException(path + " has journal version " + version + "; this server reads versions up to "
                        + Wire.JOURNAL_VERSION);
            }
            return file;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    long size() throws IOException {
        return channel.size();
    }

    /// At most `length` bytes from `position`, fewer at the end of the file.
    ByteBuffer read(long position, int length) throws IOException {
        var buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        read(position, buffer);
        return buffer.flip();
    }

    /// Fills `buffer`, from its beginning to its limit, with what begins at `position`, as far as the file goes.
    void read(long position, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position()) < 0) {
                return;
            }
        }
    }

    /// Which records are gone by now. What was read before this call is good if it does not lie there.
    Hole hole() throws IOException {
        if (gap == UNKNOWN) {
            gap = findGap();
        }
        if (gap <= NONE) {
            return Hole.NONE;
        }
        var mark = read(gap + Wire.RECORD_HEADER, 2 * Long.BYTES);
        return mark.remaining() < 2 * Long.BYTES ? Hole.NONE : new Hole(mark.getLong(), mark.getLong());
    }

    /// The second record, if it is that one.
    private long findGap() throws IOException {
        var first = JournalRecord.at(Wire.JOURNAL_HEADER, read(Wire.JOURNAL_HEADER, Wire.RECORD_HEADER));
        if (first == null) {
            return UNKNOWN;
        }
        if (first.kind() != Wire.RECORD_META) {
            return NONE;
        }
        var second = JournalRecord.at(first.next(), read(first.next(), Wire.RECORD_HEADER));
        if (second == null) {
            return UNKNOWN;
        }
        return second.kind() == Wire.RECORD_GAP ? second.position() : NONE;
    }

    /// The record that begins at `position` or, if that one is gone, the first one that is not; `null` if there is
    /// no whole header before `end`.
    @Nullable
    JournalRecord record(long position, long end) throws IOException {
        var at = position;
        while (at + Wire.RECORD_HEADER <= end) {
            var header = read(at, Wire.RECORD_HEADER);
            var hole = hole();
            if (!hole.covers(at)) {
                return JournalRecord.at(at, header);
            }
            at = hole.low();
        }
        return null;
    }

    /// The record that holds `position` (its header's first byte, or a byte of its data, or the byte after the
    /// last),
    /// or the first one after the hole that `position` is in.
    ///
    /// @param passed told every record before it that is still there
    /// @throws IllegalArgumentException if there is none
    JournalRecord holding(long position, long end, Consumer<JournalRecord> passed) throws IOException {
        var next = (long) Wire.JOURNAL_HEADER;
        while (next <= position) {
            var record = record(next, end);
            if (record == null) {
                break;
            }
            var jumped = record.position() > next && position < record.position();
            if (jumped || position == record.position() || (record.ofProgram() && within(record, position))) {
                return record;
            }
            passed.accept(record);
            next = record.next();
        }
        throw new IllegalArgumentException("from: no output begins or continues at position " + position);
    }

    private static boolean within(JournalRecord record, long position) {
        return position >= record.dataPosition() && position < record.next();
    }

    /// The fields of a META or END record.
    Fields fields(JournalRecord record) throws IOException {
        var data = read(record.dataPosition(), record.length());
        if (data.remaining() < record.length()) {
            throw new WireException("the record at " + record.position() + " is cut short");
        }
        return Fields.decode(data);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
