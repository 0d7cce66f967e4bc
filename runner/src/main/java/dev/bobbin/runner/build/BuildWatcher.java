package dev.bobbin.runner.build;

import dev.bobbin.runner.BuildEvent;
import dev.bobbin.runner.Output;
import java.nio.ByteBuffer;

/// Watches a build. Told by several threads, by each in order.
public interface BuildWatcher {

    void happened(BuildEvent event);

    /// A command of a step printed something; the bytes are valid until this returns.
    void printed(String step, Output.Stream stream, ByteBuffer data);
}
