package dev.bobbin.runner.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;

/// One request to the kernel: a header, a fixed part, and attributes, which may hold attributes.
public final class NetlinkMessage {
    public static final int REQUEST = 0x1;
    public static final int ACKNOWLEDGE = 0x4;
    public static final int ONLY_NEW = 0x200 | 0x400;
    public static final int LIST = 0x300;
    /// Of an attribute's type: it holds attributes.
    public static final int NESTED = 0x8000;

    private static final int MOST = 1024;
    private static final int ALIGNMENT = 4;
    private static final int ATTRIBUTE_HEADER = 4;

    private final ByteBuffer out = ByteBuffer.allocate(MOST).order(ByteOrder.nativeOrder());
    private final Deque<Integer> open = new ArrayDeque<>();

    public NetlinkMessage(int type, int flags) {
        out.putInt(0)
                .putShort((short) type)
                .putShort((short) (flags | REQUEST))
                .putInt(0)
                .putInt(0);
    }

    /// Where what follows `length` bytes begins.
    public static int aligned(int length) {
        return (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /// Of the fixed part.
    public NetlinkMessage bytes(int... values) {
        for (var value : values) {
            out.put((byte) value);
        }
        return this;
    }

    /// Of the fixed part.
    public NetlinkMessage number(int value) {
        out.putInt(value);
        return this;
    }

    public NetlinkMessage attribute(int type, byte[] value) {
        out.putShort((short) (ATTRIBUTE_HEADER + value.length))
                .putShort((short) type)
                .put(value);
        out.position(aligned(out.position()));
        return this;
    }

    public NetlinkMessage attribute(int type, int value) {
        return attribute(
                type,
                ByteBuffer.allocate(Integer.BYTES)
                        .order(ByteOrder.nativeOrder())
                        .putInt(value)
                        .array());
    }

    public NetlinkMessage attribute(int type, String value) {
        return attribute(type, (value + "\0").getBytes(StandardCharsets.US_ASCII));
    }

    /// Attributes that follow are within this one, until [#end].
    public NetlinkMessage begin(int type) {
        open.push(out.position());
        out.putShort((short) 0).putShort((short) type);
        return this;
    }

    public NetlinkMessage end() {
        int start = open.pop();
        out.putShort(start, (short) (out.position() - start));
        return this;
    }

    byte[] bytes() {
        var bytes = new byte[out.position()];
        out.putInt(0, bytes.length).get(0, bytes);
        return bytes;
    }
}
