package dev.bobbin.ops.cli;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;

/// The beginning of one stream, kept for a JSON answer.
final class InlineOutput extends OutputStream {
    private static final int MOST = 1024 * 1024;

    private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
    private boolean truncated;

    @Override
    public void write(int octet) {
        write(new byte[] {(byte) octet}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
        var fits = Math.min(length, MOST - kept.size());
        kept.write(bytes, offset, fits);
        truncated |= fits < length;
    }

    boolean isTruncated() {
        return truncated;
    }

    /// Puts the bytes into `object` as text called `name`, or in base64 if they are no text.
    void putInto(Map<String, Object> object, String name) {
        try {
            var decoder = StandardCharsets.UTF_8.newDecoder();
            object.put(name, decoder.decode(ByteBuffer.wrap(kept.toByteArray())).toString());
        } catch (CharacterCodingException _) {
            object.put(name + "_base64", Base64.getEncoder().encodeToString(kept.toByteArray()));
        }
    }
}
