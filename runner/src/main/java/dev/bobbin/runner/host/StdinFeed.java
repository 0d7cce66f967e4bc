package dev.bobbin.runner.host;

import dev.bobbin.runner.sandbox.SandboxProcess;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Bytes on their way into a process's standard input, by position: what was taken is known, so a feeder whose
/// connection broke goes on where it stopped. Safe for many threads.
final class StdinFeed {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private long taken;
    /// What was sent; another may send before that is taken.
    private long sent;
    private boolean ended;

    /// @param taken bytes of standard input that PID 1 has
    StdinFeed(long taken) {
        this.taken = taken;
    }

    /// Notes that PID 1 has `position` bytes.
    void taken(long position) {
        lock.lock();
        try {
            taken = Math.max(taken, position);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Notes that nobody will read any more.
    void end() {
        lock.lock();
        try {
            ended = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// See [dev.bobbin.runner.Execution#type].
    boolean append(SandboxProcess process, byte[] data, Duration patience) throws IOException, InterruptedException {
        lock.lockInterruptibly();
        try {
            var left = patience.toNanos();
            while (taken < sent && !ended) {
                if (left <= 0) {
                    return false;
                }
                left = changed.awaitNanos(left);
            }
            if (ended) {
                throw new IllegalArgumentException("stdin: the job has ended");
            }
            sent = Math.max(sent, taken) + data.length;
            process.stdin(sent - data.length, data, false);
            return true;
        } finally {
            lock.unlock();
        }
    }

    /// See [dev.bobbin.runner.Execution#feed].
    long feed(SandboxProcess process, long position, byte[] data, boolean last)
            throws IOException, InterruptedException {
        lock.lockInterruptibly();
        try {
            if (ended && data.length == 0) {
                return taken; // whoever has all of its input may end before it is told that there is no more
            }
            if (position > taken) {
                throw new IllegalArgumentException("at: " + taken + " bytes of stdin have been taken so far");
            }
            sent = Math.max(sent, position + data.length);
            process.stdin(position, data, last);
            while (taken < position + data.length && !ended) {
                changed.await();
            }
            return taken;
        } finally {
            lock.unlock();
        }
    }
}
