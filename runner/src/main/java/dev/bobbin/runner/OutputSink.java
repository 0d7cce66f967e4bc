package dev.bobbin.runner;

import java.io.IOException;

/// Where a reader of a journal puts what it read: an HTTP response, a terminal, another host.
public interface OutputSink {

    /// Takes one output before the next is read; a slow sink delays only its own reader.
    ///
    /// @throws IOException when whoever reads is gone; reading then stops
    void accept(Output output) throws IOException;

    /// Called when there is nothing more to read for now: what was accepted should now leave.
    default void flush() throws IOException {}
}
