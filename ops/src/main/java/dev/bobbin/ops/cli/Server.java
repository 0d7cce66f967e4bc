package dev.bobbin.ops.cli;

import dev.bobbin.ops.config.BobbinConfig;
import java.util.List;

/// A server in this process. [#close] ends it in good order and may be called twice, by two threads.
public interface Server extends AutoCloseable {

    /// Makes servers; only the program itself knows what one consists of.
    interface Starter {
        /// Starts a server with these settings.
        ///
        /// @throws StartException if this machine or these settings do not allow a server
        Server start(BobbinConfig config);
    }

    /// Where it can be reached, with the ports that were really taken.
    List<String> addresses();

    @Override
    void close();
}
