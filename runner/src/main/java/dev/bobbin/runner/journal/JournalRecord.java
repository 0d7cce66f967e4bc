package dev.bobbin.runner.journal;

import dev.bobbin.runner.wire.Wire;
import dev.bobbin.runner.wire.WireException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// One record's header.
///
/// @param position where the record begins in the file
/// @param kind one of `RECORD_…`
/// @param timeNanos wall clock since 1970
/// @param offset bytes of this stream before these
/// @param length bytes of data after the header
record JournalRecord(long position, int kind, long timeNanos, long offset, int length) {

    /// Reads the header at `position` of the file, which `in` holds at its own position; `null` if it is not whole yet.
    static @Nullable JournalRecord at(long position, ByteBuffer in) throws WireException {
        if (in.remaining() < Wire.RECORD_HEADER) {
            return null;
        }
        var start = in.position();
        var length = in.getInt(start);
        var kind = Byte.toUnsignedInt(in.get(start + 4));
        if (length < 0 || length > Wire.FRAME_LONGEST || kind < Wire.RECORD_META || kind > Wire.RECORD_PROGRESS) {
            throw new WireException("no record begins at " + position);
        }
        return new JournalRecord(position, kind, in.getLong(start + 8), in.getLong(start + 16), length);
    }

    long dataPosition() {
        return position + Wire.RECORD_HEADER;
    }

    long next() {
        return dataPosition() + length;
    }

    boolean ofProgram() {
        return kind == Wire.RECORD_STDOUT || kind == Wire.RECORD_STDERR;
    }
}
