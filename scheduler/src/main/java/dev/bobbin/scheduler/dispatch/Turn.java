package dev.bobbin.scheduler.dispatch;

/// The right to begin what a key is for, until it is closed. Belongs to the thread that took it, which may take it
/// again.
public final class Turn implements AutoCloseable {
    private final Runnable giveBack;

    Turn(Runnable giveBack) {
        this.giveBack = giveBack;
    }

    @Override
    public void close() {
        giveBack.run();
    }
}
