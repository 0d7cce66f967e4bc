package dev.bobbin.scheduler.http.terminal;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// One thread's reading of a journal, which another may end. Interrupts that come from elsewhere stay what they are.
public final class Attention {
    private @Nullable Thread reading;
    private boolean ended;

    /// A reading that an interrupt ends.
    @FunctionalInterface
    public interface Reading {
        void run() throws IOException, InterruptedException;
    }

    /// Runs `reading` on the calling thread.
    ///
    /// @return whether it came to its own end, and not to that of [#end]
    /// @throws InterruptedException if the thread was interrupted by somebody else
    public boolean pay(Reading reading) throws IOException, InterruptedException {
        if (!begin()) {
            return false;
        }
        try {
            reading.run();
            return !leave();
        } catch (InterruptedException | IOException e) {
            if (leave()) {
                return false;
            }
            throw e;
        } catch (RuntimeException e) {
            leave();
            throw e;
        }
    }

    private synchronized boolean begin() {
        if (!ended) {
            reading = Thread.currentThread();
        }
        return !ended;
    }

    /// Whether it was ended.
    private synchronized boolean leave() {
        reading = null;
        if (ended) {
            Thread.interrupted();
        }
        return ended;
    }

    /// Ends the reading, or keeps it from beginning.
    public synchronized void end() {
        ended = true;
        if (reading != null) {
            reading.interrupt();
        }
    }
}
