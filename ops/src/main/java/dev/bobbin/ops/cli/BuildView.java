package dev.bobbin.ops.cli;

import java.util.Map;

/// Shows a build to whoever typed the command.
sealed interface BuildView extends AutoCloseable permits BuildLines, BuildScreen {
    /// So many bytes of the context are on their way.
    void sent(long bytes);

    /// Shows a frame of the answer, the last one included.
    void show(Map<?, ?> frame);

    /// Shows nothing more, whether it came to its end or not.
    @Override
    void close();
}
