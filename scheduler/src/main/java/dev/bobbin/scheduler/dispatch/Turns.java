package dev.bobbin.scheduler.dispatch;

import dev.bobbin.runner.RequestKey;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Lets requests with the same key begin something one after the other, so that the second finds what the first began.
final class Turns {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Map<String, Holder> holders = new HashMap<>();

    private record Holder(Thread thread, int times) {}

    /// Waits until no other thread has the turn of this key's word; a request without a key need not.
    Turn take(@Nullable RequestKey key) throws InterruptedException {
        if (key == null) {
            return new Turn(() -> {});
        }
        var name = key.name();
        var me = Thread.currentThread();
        lock.lockInterruptibly();
        try {
            for (var holder = holders.get(name);
                    holder != null && !holder.thread.equals(me);
                    holder = holders.get(name)) {
                changed.await();
            }
            holders.merge(name, new Holder(me, 1), (holder, _) -> new Holder(me, holder.times + 1));
            return new Turn(() -> giveBack(name));
        } finally {
            lock.unlock();
        }
    }

    private void giveBack(String name) {
        lock.lock();
        try {
            holders.computeIfPresent(
                    name, (_, holder) -> holder.times == 1 ? null : new Holder(holder.thread, holder.times - 1));
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
