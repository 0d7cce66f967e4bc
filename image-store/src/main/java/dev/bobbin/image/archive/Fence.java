package dev.bobbin.image.archive;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/// A thread that can write in one directory only, as far as the kernel can keep that (Landlock, Linux 6.2).
final class Fence {
    private Fence() {}

    /// Does `work` in such a thread and waits for it; an interrupt reaches it.
    static <T> T around(Path directory, Work<T> work) throws IOException {
        var task = new FutureTask<>(() -> {
            confine(directory);
            return work.run();
        });
        var thread = Thread.ofPlatform().name("unpack").daemon().start(task);
        var interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
                thread.interrupt();
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return result(task);
    }

    private static void confine(Path directory) throws KernelException {
        if (!Kernel.canConfine()) {
            return;
        }
        var descriptor = Kernel.openDirectory(directory);
        try {
            Kernel.confineThread(descriptor);
        } finally {
            Kernel.close(descriptor);
        }
    }

    private static <T> T result(FutureTask<T> task) throws IOException {
        try {
            return task.get();
        } catch (InterruptedException e) {
            throw new ClosedByInterruptException();
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException failure -> throw failure;
                case RuntimeException failure -> throw failure;
                case Error failure -> throw failure;
                case null, default -> throw new IllegalStateException(e);
            }
        }
    }

    interface Work<T> {
        T run() throws IOException;
    }
}
