package dev.bobbin.scheduler.http.exchange;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;

/// JSON as every API here reads and writes it.
public final class Json {
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(32)
                    .maxNameLength(8 * 1024)
                    .maxNumberLength(64)
                    .maxStringLength(32 * 1024 * 1024)
                    .build())
            .enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8)
            .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
            .disable(StreamWriteFeature.FLUSH_PASSED_TO_STREAM)
            .build();

    private Json() {}

    /// Something that is written as one JSON value.
    @FunctionalInterface
    public interface Value {
        void writeTo(JsonGenerator json) throws IOException;
    }

    public static byte[] write(Value value) {
        var bytes = new ByteArrayOutputStream(512);
        try {
            write(bytes, value);
        } catch (IOException e) {
            throw new UncheckedIOException("write JSON to memory", e);
        }
        return bytes.toByteArray();
    }

    public static void write(OutputStream out, Value value) throws IOException {
        try (var json = FACTORY.createGenerator(out)) {
            value.writeTo(json);
        }
    }

    static JsonParser parser(byte[] body) throws IOException {
        return FACTORY.createParser(body);
    }
}
