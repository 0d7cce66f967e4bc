package dev.bobbin.scheduler.http.minibox;

import dev.bobbin.runner.Output;
import dev.bobbin.runner.OutputSink;
import dev.bobbin.scheduler.http.exchange.Streamed;
import java.io.IOException;

/// Both streams of a program as one, as they come.
record Bytes(Streamed body) implements OutputSink {
    @Override
    public void accept(Output output) throws IOException {
        if (output instanceof Output.Bytes bytes) {
            body.write(bytes.data());
        }
    }

    @Override
    public void flush() throws IOException {
        body.flush();
    }
}
