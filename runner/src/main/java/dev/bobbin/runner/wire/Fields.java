package dev.bobbin.runner.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// The fields of a frame's payload or of a record, decoded and checked. Values are views of the given buffer.
public final class Fields {
    private final List<Field> fields;

    private record Field(int tag, ByteBuffer value) {}

    private Fields(List<Field> fields) {
        this.fields = fields;
    }

    /// Decodes all that remains in `payload`.
    ///
    /// @throws WireException if a length passes the end
    public static Fields decode(ByteBuffer payload) throws WireException {
        var in = payload.slice().order(ByteOrder.LITTLE_ENDIAN);
        var fields = new ArrayList<Field>();
        while (in.hasRemaining()) {
            if (in.remaining() < Wire.FIELD_HEADER) {
                throw new WireException("a field's header is cut short");
            }
            var tag = Short.toUnsignedInt(in.getShort());
            var _ = in.getShort();
            var length = in.getInt();
            if (length < 0 || length > in.remaining()) {
                throw new WireException("field " + tag + " is longer than its frame");
            }
            fields.add(new Field(tag, in.slice(in.position(), length).order(ByteOrder.LITTLE_ENDIAN)));
            in.position(in.position() + length);
        }
        return new Fields(fields);
    }

    public boolean has(int tag) {
        return value(tag) != null;
    }

    public Optional<ByteBuffer> bytes(int tag) {
        var value = value(tag);
        return value == null ? Optional.empty() : Optional.of(value.duplicate().order(ByteOrder.LITTLE_ENDIAN));
    }

    /// The first value of `tag`, whose position must not be moved.
    private @Nullable ByteBuffer value(int tag) {
        for (var field : fields) {
            if (field.tag == tag) {
                return field.value;
            }
        }
        return null;
    }

    public OptionalInt u32(int tag) throws WireException {
        var value = value(tag);
        if (value == null) {
            return OptionalInt.empty();
        }
        check(tag, value, Integer.BYTES);
        return OptionalInt.of(value.getInt(0));
    }

    public OptionalLong u64(int tag) throws WireException {
        var value = value(tag);
        if (value == null) {
            return OptionalLong.empty();
        }
        check(tag, value, Long.BYTES);
        return OptionalLong.of(value.getLong(0));
    }

    public Optional<String> text(int tag) {
        return bytes(tag).map(Fields::decodeText);
    }

    /// Every value of `tag`, in order.
    public List<String> texts(int tag) {
        var texts = new ArrayList<String>();
        for (var field : fields) {
            if (field.tag == tag) {
                texts.add(decodeText(field.value.duplicate()));
            }
        }
        return texts;
    }

    public int requireU32(int tag) throws WireException {
        return u32(tag).orElseThrow(() -> missing(tag));
    }

    public long requireU64(int tag) throws WireException {
        return u64(tag).orElseThrow(() -> missing(tag));
    }

    public String requireText(int tag) throws WireException {
        return text(tag).orElseThrow(() -> missing(tag));
    }

    private static WireException missing(int tag) {
        return new WireException("field " + tag + " is missing");
    }

    private static void check(int tag, ByteBuffer value, int length) throws WireException {
        if (value.remaining() != length) {
            throw new WireException("field " + tag + " must have " + length + " bytes");
        }
    }

    private static String decodeText(ByteBuffer value) {
        return StandardCharsets.UTF_8.decode(value).toString();
    }
}
