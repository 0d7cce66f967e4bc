package dev.bobbin.ops;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Tests with a server that is killed with its whole process group, and its successors in the same directories.
abstract class KilledServerTests extends RootTests {
    private volatile @Nullable RealServer server;

    /// Starts one, which leads a process group.
    final void serve(int pool) throws Exception {
        var command = new ArrayList<>(List.of("setsid"));
        command.addAll(RealServer.command(directory, "--pool", String.valueOf(pool)));
        server = RealServer.start(directory, command);
    }

    /// The newest.
    final RealServer server() {
        var newest = server;
        if (newest == null) {
            throw new IllegalStateException("no server was started");
        }
        return newest;
    }

    @Override
    final void end() {
        var newest = server;
        if (newest != null) {
            newest.close();
        }
    }
}
