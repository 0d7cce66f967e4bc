package dev.bobbin.scheduler.http.v1;

import dev.bobbin.scheduler.http.exchange.Json;
import dev.bobbin.scheduler.http.exchange.Streamed;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/// The frames of one answer, one JSON object each: lines of NDJSON, or events of an event stream.
final class Frames {
    private final Streamed answer;
    private final boolean events;
    private final ByteArrayOutputStream frame = new ByteArrayOutputStream(512);

    /// @param events whether frames are events of an event stream
    Frames(Streamed answer, boolean events) {
        this.answer = answer;
        this.events = events;
    }

    /// Sends one frame.
    ///
    /// @param at the position in the journal behind it; 0 before there is one
    void send(String type, long at, Json.Value content) throws IOException {
        frame.reset();
        if (events) {
            ascii("id: " + at + "\nevent: " + type + "\ndata: ");
        }
        Json.write(frame, json -> {
            json.writeStartObject();
            json.writeStringField("type", type);
            json.writeNumberField("at", at);
            content.writeTo(json);
            json.writeEndObject();
        });
        ascii(events ? "\n\n" : "\n");
        var bytes = frame.toByteArray();
        answer.write(bytes, 0, bytes.length);
    }

    /// Says that nothing happened for a while.
    void heartbeat(long at) throws IOException {
        if (!events) {
            send("heartbeat", at, _ -> {});
            return;
        }
        var comment = ": heartbeat\n\n".getBytes(StandardCharsets.UTF_8);
        answer.write(comment, 0, comment.length);
    }

    void flush() throws IOException {
        answer.flush();
    }

    private void ascii(String text) {
        frame.writeBytes(text.getBytes(StandardCharsets.US_ASCII));
    }
}
