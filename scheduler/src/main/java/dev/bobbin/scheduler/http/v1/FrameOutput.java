package dev.bobbin.scheduler.http.v1;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.Output.Stream;
import dev.bobbin.runner.OutputSink;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;

/// Output as frames.
final class FrameOutput implements OutputSink {
    /* A character that the program wrote in two parts is sent in one frame: its beginning waits for the rest. The position
     * of a frame is therefore that of the last byte that has been sent, so that a reader who comes back there finds exactly
     * what it has not seen. Every byte of an output takes one position, so bytes that wait are subtracted. When anything
     * else comes first (the other stream, the end, a heartbeat) what waits is sent as it is, in base64: positions of the
     * other stream lie behind it, and a reader who resumed there would lose it. */

    private static final byte[] NOTHING = new byte[0];

    private final Frames frames;
    private final Execution job;
    private final Set<Stream> wanted;

    private byte[] waiting = NOTHING;
    private Output.Bytes waitingFrom = new Output.Bytes(0, 0, Stream.STDOUT, 0, ByteBuffer.wrap(NOTHING));

    FrameOutput(Frames frames, Execution job, Set<Stream> wanted) {
        this.frames = frames;
        this.job = job;
        this.wanted = Set.copyOf(wanted);
    }

    @Override
    public void accept(Output output) throws IOException {
        switch (output) {
            case Output.Bytes bytes -> {
                if (wanted.contains(bytes.stream())) {
                    bytes(bytes);
                }
            }
            case Output.Started started -> {
                releaseWaiting();
                frames.send("started", started.at(), json -> started(json, job, started));
            }
            case Output.Gap gap -> {
                if (wanted.contains(gap.stream())) {
                    releaseWaiting();
                    frames.send("gap", gap.at(), json -> gap(json, gap));
                }
            }
            case Output.Progress progress -> {
                releaseWaiting();
                frames.send("progress", progress.at(), json -> {
                    json.writeStringField("time", time(progress.timeNanos()));
                    BuildJson.event(json, progress.event());
                });
            }
            case Output.Heartbeat heartbeat -> {
                releaseWaiting();
                frames.heartbeat(heartbeat.at());
            }
            case Output.Ended ended -> {
                releaseWaiting();
                frames.send("ended", ended.at(), json -> ended(json, job, ended));
            }
        }
    }

    @Override
    public void flush() throws IOException {
        frames.flush();
    }

    static void started(JsonGenerator json, Execution job, Output.Started started) throws IOException {
        json.writeStringField("id", job.id().toString());
        json.writeStringField("image", job.image().text());
        json.writeStringField("time", time(started.timeNanos()));
    }

    static void gap(JsonGenerator json, Output.Gap gap) throws IOException {
        json.writeStringField("stream", word(gap.stream()));
        json.writeNumberField("offset", gap.offset());
        json.writeNumberField("bytes", gap.bytes());
    }

    static void ended(JsonGenerator json, Execution job, Output.Ended ended) throws IOException {
        json.writeStringField("id", job.id().toString());
        JobJson.outcome(json, ended.ending().outcome());
        JobJson.unenforcedLimits(json, job.unenforcedLimits());
        JobJson.usage(json, ended.ending());
        JobJson.sums(json, ended.ending());
        JobJson.timeline(json, ended.ending().timeline());
    }

    private void bytes(Output.Bytes bytes) throws IOException {
        if (waiting.length > 0 && waitingFrom.stream() != bytes.stream()) {
            releaseWaiting();
        }
        var offset = bytes.offset() - waiting.length;
        var data = joined(waiting, bytes.copy());
        waiting = NOTHING;
        var whole = Utf8.whole(data, data.length);
        if (whole < 0) {
            sendBytes(bytes, bytes.at(), offset, data, data.length, false);
            return;
        }
        var left = data.length - whole;
        if (whole > 0) {
            sendBytes(bytes, bytes.at() - left, offset, data, whole, true);
        }
        if (left > 0) {
            waiting = Arrays.copyOfRange(data, whole, data.length);
            waitingFrom = bytes;
        }
    }

    private void releaseWaiting() throws IOException {
        if (waiting.length == 0) {
            return;
        }
        var data = waiting;
        waiting = NOTHING;
        var end = waitingFrom.offset() + waitingFrom.length();
        sendBytes(waitingFrom, waitingFrom.at(), end - data.length, data, data.length, false);
    }

    private void sendBytes(Output.Bytes from, long at, long offset, byte[] data, int length, boolean text)
            throws IOException {
        frames.send(word(from.stream()), at, json -> {
            json.writeStringField("time", time(from.timeNanos()));
            json.writeNumberField("offset", offset);
            if (text) {
                json.writeStringField("data", new String(data, 0, length, StandardCharsets.UTF_8));
            } else {
                json.writeFieldName("data_base64");
                json.writeBinary(data, 0, length);
            }
        });
    }

    private static byte[] joined(byte[] first, byte[] second) {
        if (first.length == 0) {
            return second;
        }
        var both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    private static String word(Stream stream) {
        return stream.name().toLowerCase(Locale.ROOT);
    }

    private static String time(long nanos) {
        return Instant.ofEpochSecond(nanos / 1_000_000_000, nanos % 1_000_000_000)
                .toString();
    }
}
