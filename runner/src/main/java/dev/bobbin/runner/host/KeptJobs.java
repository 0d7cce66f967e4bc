package dev.bobbin.runner.host;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/// Ended jobs whose journals are still kept, oldest first, and the policy by which they go. Not thread-safe.
final class KeptJobs {
    /// The file's own node, and what of its last block is empty.
    private static final long BYTES_BESIDE_JOURNAL = 4 * 1024;
    /// Bounds what the server remembers of small jobs, which take little disk but some memory each.
    private static final int MOST_JOBS = 20_000;

    private final Duration age;
    private final long mostBytes;
    private final Deque<Kept> kept = new ArrayDeque<>();
    private long bytes;

    private record Kept(LocalExecution job, long bytes, long endedMillis) {}

    KeptJobs(Duration age, long mostBytes) {
        this.age = age;
        this.mostBytes = mostBytes;
    }

    /// Adds a job that ended at `endedMillis`.
    void add(LocalExecution job, long journalBytes, long endedMillis) {
        var entry = new Kept(job, journalBytes + BYTES_BESIDE_JOURNAL, endedMillis);
        kept.addLast(entry);
        bytes += entry.bytes;
    }

    /// Takes out those that must go at `nowMillis`.
    List<LocalExecution> expired(long nowMillis) {
        var expired = new ArrayList<LocalExecution>();
        for (var each = kept.iterator(); each.hasNext(); ) {
            var oldest = each.next();
            if (!mustGo(oldest, nowMillis)) {
                break;
            }
            if (oldest.job.released()) {
                each.remove();
                bytes -= oldest.bytes;
                expired.add(oldest.job);
            }
        }
        return expired;
    }

    private boolean mustGo(Kept oldest, long nowMillis) {
        return bytes > mostBytes || kept.size() > MOST_JOBS || nowMillis - oldest.endedMillis > age.toMillis();
    }
}
