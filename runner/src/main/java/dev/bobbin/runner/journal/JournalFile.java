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
import org.jspecify.annotations.Nullable;

/// A journal on disk, read by position. Not for several threads.
final class JournalFile implements AutoCloseable {
    private final FileChannel channel;

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
            if (version != Wire.JOURNAL_VERSION) {
                throw new WireException(path + " has journal version " + version + "; this server reads version "
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
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position()) < 0) {
                break;
            }
        }
        return buffer.flip();
    }

    /// The record that begins at `position`, or `null` if there is no whole header before `end`.
    @Nullable
    JournalRecord record(long position, long end) throws IOException {
        if (position + Wire.RECORD_HEADER > end) {
            return null;
        }
        return JournalRecord.at(position, read(position, Wire.RECORD_HEADER));
    }

    /// The record that holds `position` (its header's first byte, or a byte of its data, or the byte after the last).
    ///
    /// @throws IllegalArgumentException if there is none
    JournalRecord holding(long position, long end) throws IOException {
        var next = (long) Wire.JOURNAL_HEADER;
        while (next <= position) {
            var record = record(next, end);
            if (record == null) {
                break;
            }
            if (position == record.position() || (record.ofProgram() && within(record, position))) {
                return record;
            }
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
