package dev.bobbin.scheduler.http.terminal;

import dev.bobbin.runner.Execution;
import java.io.IOException;
import java.time.Duration;

/// What one viewer types into the terminal of a job. Others may type into it too.
public final class Keyboard {
    /// How often somebody who waits for a program that reads nothing looks whether the viewer has left.
    private static final Duration LOOK = Duration.ofMillis(500);

    private final Execution job;
    private volatile boolean left;

    public Keyboard(Execution job) {
        this.job = job;
    }

    /// Types `keys`, waiting while the job takes none; does nothing once it has ended or the viewer has left.
    public void type(byte[] keys) {
        try {
            while (!left && job.ending().isEmpty()) {
                if (job.type(keys, LOOK)) {
                    return;
                }
            }
        } catch (IllegalArgumentException | IOException _) {
            left = true; // it has ended
        } catch (InterruptedException _) {
            left = true;
            Thread.currentThread().interrupt();
        }
    }

    /// From now on nobody types.
    public void leave() {
        left = true;
    }
}
