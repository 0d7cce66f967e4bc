package dev.bobbin.runner.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// Puts fields, and frames of fields, into bytes. Not for several threads.
public final class FieldsWriter {
    private static final int FIRST_SIZE = 1024;

    private ByteBuffer out = ByteBuffer.allocate(FIRST_SIZE).order(ByteOrder.LITTLE_ENDIAN);

    public FieldsWriter empty(int tag) {
        header(tag, 0);
        return this;
    }

    public FieldsWriter u32(int tag, int value) {
        header(tag, Integer.BYTES);
        out.putInt(value);
        return this;
    }

    public FieldsWriter u64(int tag, long value) {
        header(tag, Long.BYTES);
        out.putLong(value);
        return this;
    }

    public FieldsWriter bytes(int tag, byte[] value) {
        header(tag, value.length);
        out.put(value);
        return this;
    }

    public FieldsWriter text(int tag, String value) {
        return bytes(tag, value.getBytes(StandardCharsets.UTF_8));
    }

    /// The fields alone.
    public byte[] payload() {
        var bytes = new byte[out.position()];
        out.get(0, bytes);
        return bytes;
    }

    /// The fields as the payload of one frame, ready to be sent.
    ///
    /// @throws IllegalArgumentException if it is longer than the receiver takes
    public ByteBuffer frame(int type) {
        var length = out.position();
        if (length > Wire.FRAME_LONGEST) {
            throw new IllegalArgumentException("a frame of " + length + " bytes is longer than the contract allows");
        }
        var frame = ByteBuffer.allocate(Wire.FRAME_HEADER + length).order(ByteOrder.LITTLE_ENDIAN);
        frame.putInt(length).putShort((short) type).put((byte) Wire.PROTOCOL).put((byte) 0);
        return frame.put(out.slice(0, length)).flip();
    }

    private void header(int tag, int length) {
        if (out.remaining() < Wire.FIELD_HEADER + length) {
            var needed = out.position() + Wire.FIELD_HEADER + length;
            var larger =
                    ByteBuffer.allocate(Math.max(needed, out.capacity() * 2)).order(ByteOrder.LITTLE_ENDIAN);
            out = larger.put(out.flip());
        }
        out.putShort((short) tag).putShort((short) 0).putInt(length);
    }
}
