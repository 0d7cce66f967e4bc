package dev.bobbin.scheduler.http.v1;

import dev.bobbin.runner.Output;
import dev.bobbin.runner.Output.Stream;
import dev.bobbin.runner.OutputSink;
import dev.bobbin.scheduler.http.exchange.Streamed;
import java.io.IOException;
import java.util.Set;

/// The bytes of the program as they come, and nothing else.
final class PlainOutput implements OutputSink {
    private final Streamed answer;
    private final Set<Stream> wanted;

    PlainOutput(Streamed answer, Set<Stream> wanted) {
        this.answer = answer;
        this.wanted = Set.copyOf(wanted);
    }

    @Override
    public void accept(Output output) throws IOException {
        if (output instanceof Output.Bytes bytes && wanted.contains(bytes.stream())) {
            answer.write(bytes.data(), 0, bytes.data().length);
        }
    }

    @Override
    public void flush() throws IOException {
        answer.flush();
    }
}
