package dev.bobbin.scheduler.dispatch;

import dev.bobbin.runner.Network;
import dev.bobbin.runner.Refusal;
import dev.bobbin.scheduler.tenant.Caller;
import dev.bobbin.scheduler.tenant.Scope;
import java.util.Optional;

/// Who may publish ports where; which networks there are is the host's own decision.
final class NetworkRights {
    private static final int FIRST_FREE_PORT = 1024;

    private NetworkRights() {}

    /// Why `caller` may not have all of `network`, if so.
    static Optional<Refusal> refusal(Network network, Caller caller, PublishConfig publish) {
        if (!(network instanceof Network.Bridge bridge) || caller.may(Scope.ADMIN)) {
            return Optional.empty();
        }
        for (var index = 0; index < bridge.ports().size(); index++) {
            var port = bridge.ports().get(index);
            if (!publish.has(port.hostAddress())) {
                return forbidden(
                        "ports[" + index + "].host_address",
                        "only administrators may publish at "
                                + port.hostAddress().getHostAddress()
                                + "; leave it out for 127.0.0.1, or allow it with publish.addresses");
            }
            if (port.hostPort() > 0 && port.hostPort() < FIRST_FREE_PORT && !publish.lowPorts()) {
                return forbidden(
                        "ports[" + index + "].host_port",
                        "only administrators may publish at ports below 1024; choose another, or allow it with"
                                + " publish.low-ports: on");
            }
        }
        return Optional.empty();
    }

    private static Optional<Refusal> forbidden(String field, String why) {
        return Optional.of(new Refusal(Refusal.Reason.FORBIDDEN, field + ": " + why, field));
    }
}
