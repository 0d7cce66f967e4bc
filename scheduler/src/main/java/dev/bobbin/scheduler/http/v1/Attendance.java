package dev.bobbin.scheduler.http.v1;

import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Job;
import dev.bobbin.runner.JobId;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

/// Who waits for jobs that end with their caller: several may, with one `Idempotency-Key`, and the last one to go ends
/// it.
final class Attendance {
    private final Map<JobId, Integer> present = new ConcurrentHashMap<>();

    /// One who waits, on this thread, until it is closed.
    Waiting begin(Execution job) {
        var tied = job.onDisconnect() == Job.OnDisconnect.KILL;
        if (tied) {
            present.merge(job.id(), 1, Integer::sum);
        }
        return new Waiting(job, tied, Thread.currentThread());
    }

    private boolean isLast(JobId id) {
        return present.computeIfPresent(id, (_, count) -> count == 1 ? null : count - 1) == null;
    }

    /// One caller of a job.
    final class Waiting implements AutoCloseable {
        private final Execution job;
        private final boolean tied;
        private final Thread thread;
        private final AtomicBoolean over = new AtomicBoolean();

        private Waiting(Execution job, boolean tied, Thread thread) {
            this.job = job;
            this.tied = tied;
            this.thread = thread;
        }

        /// Its client has gone.
        void gone() {
            if (!over.compareAndSet(false, true)) {
                return;
            }
            if (tied && isLast(job.id())) {
                job.cancel("client");
            } else {
                thread.interrupt();
            }
        }

        /// It has its answer.
        @Override
        public void close() {
            if (over.compareAndSet(false, true) && tied) {
                isLast(job.id());
            }
        }
    }
}
