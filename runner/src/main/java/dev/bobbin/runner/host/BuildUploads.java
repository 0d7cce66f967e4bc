package dev.bobbin.runner.host;

import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.build.BuildException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/// What tenants have sent to be built of, from the moment at which they ask to send it until its build has ended: one
/// of them must not take all of the disk. Safe for many threads.
final class BuildUploads {
    private final int most;
    private final long mostBytes;
    private final Map<String, Held> held = new HashMap<>();
    private final AtomicLong received = new AtomicLong();
    private final AtomicLong refused = new AtomicLong();

    /// Of one tenant.
    private static final class Held {
        private int count;
        private long bytes;
    }

    /// @param most for each tenant
    /// @param mostBytes of all that a tenant has here and on its way
    BuildUploads(int most, long mostBytes) {
        this.most = most;
        this.mostBytes = mostBytes;
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

    /// What their files take.
    synchronized long bytes() {
        return held.values().stream().mapToLong(each -> each.bytes).sum();
    }

    /// Why this tenant may not send more at the moment.
    ///
    /// @param announced how much it says that it will send; 0 if it does not
    synchronized Optional<Refusal> begin(String tenant, long announced) {
        var own = held.getOrDefault(tenant, new Held());
        if (own.count >= most) {
            return refuse("you have " + own.count + " builds under way, and no more are allowed at once");
        }
        if (own.bytes >= mostBytes || announced > mostBytes - own.bytes) {
            return refuse(tooMuch());
        }
        own.count++;
        held.put(tenant, own);
        return Optional.empty();
    }

    private Optional<Refusal> refuse(String detail) {
        refused.incrementAndGet();
        return Optional.of(new Refusal(Refusal.Reason.BUSY, detail));
    }

    private String tooMuch() {
        return "the files of your builds under way may take " + mostBytes
                + " bytes at once; try again when one is over";
    }

    /// More of them is here.
    ///
    /// @throws BuildException BUSY if that is more than the tenant may have
    synchronized void took(String tenant, long bytes) {
        var own = held.getOrDefault(tenant, new Held());
        if (bytes > mostBytes - own.bytes) {
            refused.incrementAndGet();
            throw new BuildException(BuildException.Problem.BUSY, 0, tooMuch());
        }
        own.bytes += bytes;
        received.addAndGet(bytes);
    }

    /// One of them, of which so much was here, is gone.
    synchronized void end(String tenant, long bytes) {
        held.computeIfPresent(tenant, (_, own) -> {
            own.count--;
            own.bytes -= bytes;
            return own.count == 0 ? null : own;
        });
    }
}
