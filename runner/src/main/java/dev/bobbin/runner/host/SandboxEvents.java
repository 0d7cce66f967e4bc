package dev.bobbin.runner.host;

import dev.bobbin.runner.SandboxEvent;
import dev.bobbin.runner.SandboxSpec;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// What became of this host's sandboxes that last: the latest [#KEPT] events, in memory and on disk, so that whoever
/// follows them can come back after a broken connection or a restart of the server. Safe for many threads.
public final class SandboxEvents {
    /// How many events back one can go.
    public static final int KEPT = 4096;

    private static final System.Logger LOG = System.getLogger(SandboxEvents.class.getName());

    private final EventFile file;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition added = lock.newCondition();
    private final Deque<SandboxEvent> latest = new ArrayDeque<>();
    private long last;

    /// Told of events, one after the other, by the thread that reads.
    public interface Sink {
        void event(SandboxEvent event) throws IOException;

        /// Events after the one last told are no longer known; the next told is the oldest that is.
        void lost() throws IOException;
    }

    private SandboxEvents(EventFile file, List<SandboxEvent> known) {
        this.file = file;
        known.forEach(latest::add);
        this.last = known.isEmpty() ? 0 : known.getLast().number();
    }

    /// With the events of before, as `path` has them.
    static SandboxEvents open(Path path) throws IOException {
        var file = EventFile.open(path, KEPT);
        return new SandboxEvents(file, file.read());
    }

    /// The number of the latest event; 0 if there was none.
    public long last() {
        lock.lock();
        try {
            return last;
        } finally {
            lock.unlock();
        }
    }

    void add(SandboxSpec spec, SandboxEvent.Change change, @Nullable String detail) {
        lock.lock();
        try {
            var event = new SandboxEvent(++last, Instant.now(), spec.id(), spec.tenant(), spec.name(), change, detail);
            latest.add(event);
            if (latest.size() > KEPT) {
                latest.removeFirst();
            }
            file.append(event, latest);
            added.signalAll();
        } catch (IOException e) {
            LOG.log(Level.WARNING, "events are kept in memory only: " + e.getMessage());
        } finally {
            lock.unlock();
        }
    }

    /// Tells `sink`, on the calling thread, of every event of `tenant` after number `after`: of those that are there,
    /// or
    /// if `follow` of all that come, until an interrupt.
    ///
    /// @param tenant `null` for every tenant's
    public void read(@Nullable String tenant, long after, boolean follow, Sink sink)
            throws IOException, InterruptedException {
        var told = after;
        while (true) {
            var next = next(told, follow);
            if (next.isEmpty()) {
                return;
            }
            if (next.getFirst().number() > told + 1) {
                sink.lost();
            }
            for (var event : next) {
                if (tenant == null || tenant.equals(event.tenant())) {
                    sink.event(event);
                }
                told = event.number();
            }
        }
    }

    private List<SandboxEvent> next(long after, boolean follow) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (follow && last <= after) {
                added.await();
            }
            return latest.stream().filter(event -> event.number() > after).toList();
        } finally {
            lock.unlock();
        }
    }

    void close() {
        file.close();
    }
}
