package dev.bobbin.scheduler.http.v1;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.bobbin.runner.Output;
import dev.bobbin.runner.Output.Stream;
import dev.bobbin.runner.OutputSink;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Set;

/// Keeps the beginning of each stream for an answer that holds it; the rest stays in the journal.
final class InlineOutput implements OutputSink {
    static final int MOST = 1024 * 1024;

    private final Set<Stream> wanted;
    private final ByteArrayOutputStream stdout = new ByteArrayOutputStream(0);
    private final ByteArrayOutputStream stderr = new ByteArrayOutputStream(0);
    private final BuildJson build = new BuildJson();
    private boolean truncated;
    private long at;

    InlineOutput(Set<Stream> wanted) {
        this.wanted = Set.copyOf(wanted);
    }

    @Override
    public void accept(Output output) {
        at = output.at();
        switch (output) {
            case Output.Bytes bytes -> {
                if (wanted.contains(bytes.stream())) {
                    keep(bytes.stream() == Stream.STDOUT ? stdout : stderr, bytes.copy());
                }
            }
            case Output.Gap _ -> truncated = true;
            case Output.Progress progress -> build.happened(progress.event());
            case Output.Started _, Output.Heartbeat _, Output.Ended _ -> {}
        }
    }

    private void keep(ByteArrayOutputStream stream, byte[] data) {
        var length = Math.min(data.length, MOST - stream.size());
        stream.write(data, 0, length);
        truncated |= length < data.length;
    }

    /// Where reading ended.
    long at() {
        return at;
    }

    /// What became of the steps, of a build.
    BuildJson build() {
        return build;
    }

    /// `"stdout" | "stdout_base64"`, the same for stderr, and `"truncated"`.
    void writeTo(JsonGenerator json) throws IOException {
        if (wanted.contains(Stream.STDOUT)) {
            write(json, "stdout", stdout);
        }
        if (wanted.contains(Stream.STDERR)) {
            write(json, "stderr", stderr);
        }
        json.writeBooleanField("truncated", truncated);
    }

    private void write(JsonGenerator json, String name, ByteArrayOutputStream stream) throws IOException {
        var bytes = stream.toByteArray();
        var whole = Utf8.whole(bytes, bytes.length);
        var cut = truncated && bytes.length == MOST;
        if (whole == bytes.length || (whole >= 0 && cut)) {
            json.writeStringField(name, new String(bytes, 0, whole, StandardCharsets.UTF_8));
        } else {
            json.writeFieldName(name + "_base64");
            json.writeBinary(bytes);
        }
    }
}
