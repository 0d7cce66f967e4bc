package dev.bobbin.scheduler.dispatch;

import dev.bobbin.runner.RequestKey;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Lets requests with the same key begin something one after the other, so that the second finds what the first began.
final class Turns {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Set<String> taken = new HashSet<>();

    /// The right to begin what a key is for, until it is closed.
    record Turn(Turns turns, String name) implements AutoCloseable {
        @Override
        public void close() {
            turns.giveBack(name);
        }
    }

    /// Waits until nobody else has the turn of this key's word.
    Turn take(RequestKey key) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (!taken.add(key.name())) {
                changed.await();
            }
            return new Turn(this, key.name());
        } finally {
            lock.unlock();
        }
    }

    private void giveBack(String name) {
        lock.lock();
        try {
            taken.remove(name);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
