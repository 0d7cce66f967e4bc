package dev.bobbin.ops.cli;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Notices that the reader of our standard output is gone while the job prints nothing, so that `bobbin run … | head
/// -1`
/// ends when `head` does.
///
/// A write to a pipe without readers fails, but only a write; poll(2) reports it without one, and Java has no way to
/// ask for that on a pipe it did not open.
final class OutputWatch implements AutoCloseable {
    /// Most jobs are over by then, and need not pay for the set-up.
    private static final long PATIENCE_MILLIS = 200;

    private static final short POLLERR = 8;

    private final CountDownLatch over = new CountDownLatch(1);

    /// Calls `gone`, on a thread of its own, when nobody can read our standard output any more.
    static OutputWatch start(Runnable gone) {
        var watch = new OutputWatch();
        if (isPipe()) {
            // A platform thread: poll holds it until the end.
            Thread.ofPlatform().daemon().name("bobbin-output").start(() -> watch.watch(gone));
        }
        return watch;
    }

    @Override
    public void close() {
        over.countDown();
    }

    private static boolean isPipe() {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/fd/1")).toString().startsWith("pipe:");
        } catch (IOException _) {
            return false;
        }
    }

    private void watch(Runnable gone) {
        try {
            if (!over.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS) && pollUntilGone() && over.getCount() > 0) {
                gone.run();
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static boolean pollUntilGone() {
        var linker = Linker.nativeLinker();
        var poll = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("poll"),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
        try (var arena = Arena.ofConfined()) {
            var pollfd = arena.allocate(8, 4);
            pollfd.set(ValueLayout.JAVA_INT, 0, 1);
            var ready = (int) poll.invokeExact(pollfd, 1L, -1);
            return ready == 1 && (pollfd.get(ValueLayout.JAVA_SHORT, 6) & POLLERR) != 0;
        } catch (Throwable impossible) {
            throw new IllegalStateException("poll standard output", impossible);
        }
    }
}
