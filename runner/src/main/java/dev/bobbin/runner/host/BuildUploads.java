package dev.bobbin.runner.host;

import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.build.BuildException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/// What tenants have sent to be built of, from the moment at which they ask to send it until its build has ended: one
/// of them must not take all of the disk, nor all of them the memory. Safe for many threads.
final class BuildUploads {
    /// By which an archive may be longer than what it holds.
    private static final long LARGEST_OVERHEAD = 1L << 30;

    private final int most;
    private final long mostBytes;
    private final long mostEach;
    private final long mostMemory;
    private final Map<String, Held> held = new HashMap<>();
    private final AtomicLong received = new AtomicLong();
    private final AtomicLong refused = new AtomicLong();
    private long memory;

    /// Of one tenant.
    private static final class Held {
        private int count;
        private long bytes;
    }

    /// @param most for each tenant
    /// @param mostBytes of all that a tenant has here and on its way
    /// @param mostEach bytes of one build's files
    /// @param mostMemory of the heap, for the names of all files of all tenants
    BuildUploads(int most, long mostBytes, long mostEach, long mostMemory) {
        this.most = most;
        this.mostBytes = mostBytes;
        this.mostEach = mostEach;
        this.mostMemory = mostMemory;
    }

    /// Bytes of files that ever came.
    double received() {
        return received.doubleValue();
    }

    /// How many were turned away.
    double refused() {
        return refused.doubleValue();
    }

    /// How many builds have files here or on their way.
    synchronized int count() {
        return held.values().stream().mapToInt(each -> each.count).sum();
    }

    /// What their files take, and those will that were announced.
    synchronized long bytes() {
        return held.values().stream().mapToLong(each -> each.bytes).sum();
    }

    /// Why this tenant may not send more at the moment.
    ///
    /// @param announced how long it says that what it sends is; 0 if it does not
    /// @throws BuildException TOO_LARGE if nobody may send so much, whatever there is
    synchronized Optional<Refusal> begin(String tenant, long announced) {
        if (announced - LARGEST_OVERHEAD > mostEach) {
            throw tooLarge("the context has more than " + mostEach + " bytes");
        }
        var own = held.getOrDefault(tenant, new Held());
        if (own.count >= most) {
            return refuse("you have " + own.count + " builds under way, and no more are allowed at once");
        }
        if (own.bytes >= mostBytes || reserved(announced) > mostBytes - own.bytes) {
            return refuse(tooMuch());
        }
        own.count++;
        own.bytes += reserved(announced);
        held.put(tenant, own);
        return Optional.empty();
    }

    /// What is counted of so much before it comes.
    long reserved(long announced) {
        return Math.min(announced, mostEach);
    }

    private Optional<Refusal> refuse(String detail) {
        refused.incrementAndGet();
        return Optional.of(new Refusal(Refusal.Reason.BUSY, detail));
    }

    private String tooMuch() {
        return "the files of your builds under way may take " + mostBytes
                + " bytes at once; try again when one is over";
    }

    private BuildException tooLarge(String message) {
        refused.incrementAndGet();
        return new BuildException(BuildException.Problem.TOO_LARGE, 0, message);
    }

    private BuildException busy(String message) {
        refused.incrementAndGet();
        return new BuildException(BuildException.Problem.BUSY, 0, message);
    }

    /// More of them is here.
    ///
    /// @param beyond how much of it was not counted before it came
    /// @throws BuildException BUSY if that is more than the tenant may have
    synchronized void took(String tenant, long bytes, long beyond) {
        var own = held.getOrDefault(tenant, new Held());
        if (beyond > mostBytes - own.bytes) {
            throw busy(tooMuch());
        }
        own.bytes += beyond;
        received.addAndGet(bytes);
    }

    /// The names of one take more of the heap.
    ///
    /// @param own what they take already
    /// @throws BuildException BUSY if others leave too little; TOO_LARGE if one may never take so much
    synchronized void keeps(long own, long more) {
        if (more > mostMemory - own) {
            throw tooLarge("the context has more files than this server can keep in mind");
        }
        if (more > mostMemory - memory) {
            throw busy("the files of all builds under way are as many as this server can keep in mind; try again when"
                    + " one is over");
        }
        memory += more;
    }

    /// One of them is gone.
    ///
    /// @param bytes that were counted of it, before it came and since
    /// @param kept of the heap
    synchronized void end(String tenant, long bytes, long kept) {
        memory -= kept;
        held.computeIfPresent(tenant, (_, own) -> {
            own.count--;
            own.bytes -= bytes;
            return own.count == 0 ? null : own;
        });
    }
}
