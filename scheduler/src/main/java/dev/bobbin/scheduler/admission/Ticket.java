package dev.bobbin.scheduler.admission;

import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// A place at the gate. Closed when the job ends; closing again does nothing.
public final class Ticket implements AutoCloseable {
    private final AtomicReference<@Nullable Runnable> giveBack;

    Ticket(Runnable giveBack) {
        this.giveBack = new AtomicReference<>(giveBack);
    }

    @Override
    public void close() {
        var action = giveBack.getAndSet(null);
        if (action != null) {
            action.run();
        }
    }
}
