package dev.bobbin.scheduler.dispatch;

import dev.bobbin.runner.Mount;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.host.HostRuntime;
import dev.bobbin.scheduler.tenant.Caller;
import dev.bobbin.scheduler.tenant.Scope;
import java.util.List;
import java.util.Optional;

/// Who may have directories of a machine mounted; which of them is the host's own decision.
final class MountRights {
    private MountRights() {}

    /// Why `caller` may not have all of `mounts`, if so.
    static Optional<Refusal> refusal(List<Mount> mounts, Caller caller, HostRuntime host) {
        for (var index = 0; index < mounts.size(); index++) {
            if (mounts.get(index) instanceof Mount.Bind && !caller.may(Scope.ADMIN) && !host.everybodyMayBind()) {
                var field = "mounts[" + index + "]";
                return Optional.of(new Refusal(
                        Refusal.Reason.FORBIDDEN,
                        field + ": only administrators may mount directories of this machine; use a volume, or allow"
                                + " it with host.bind-callers: all",
                        field));
            }
        }
        return Optional.empty();
    }
}
