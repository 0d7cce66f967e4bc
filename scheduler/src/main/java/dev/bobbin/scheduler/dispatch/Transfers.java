package dev.bobbin.scheduler.dispatch;

import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.scheduler.tenant.Caller;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/// Images on their way, so many at once for each tenant: one of them must not take all connections, memory and disk.
final class Transfers {
    private final int most;
    private final Map<String, Integer> underWay = new HashMap<>();

    /// @param most for each tenant
    Transfers(int most) {
        this.most = most;
    }

    /// What `work` gives.
    ///
    /// @throws ImageException BUSY if the tenant has as many under way as are allowed
    <T> T during(Caller caller, Supplier<T> work) {
        var tenant = caller.tenant().name();
        begin(tenant);
        try {
            return work.get();
        } finally {
            end(tenant);
        }
    }

    private synchronized void begin(String tenant) {
        var count = underWay.getOrDefault(tenant, 0);
        if (count >= most) {
            throw new ImageException(
                    ImageProblem.BUSY, "you have " + count + " images on their way, and no more are allowed at once");
        }
        underWay.put(tenant, count + 1);
    }

    private synchronized void end(String tenant) {
        underWay.computeIfPresent(tenant, (_, count) -> count == 1 ? null : count - 1);
    }
}
