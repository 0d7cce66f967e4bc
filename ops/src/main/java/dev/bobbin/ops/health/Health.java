package dev.bobbin.ops.health;

import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerResponse;
import java.util.Locale;
import java.util.function.Supplier;

/// Answers the probes of whoever supervises this server. A server that does not take work now is alive all the same:
/// restarting it would not help.
public final class Health implements HttpService {

    public enum Readiness {
        READY,
        /// It was told to stop and ends what it has.
        DRAINING,
        /// What makes sandboxes is down, or a check of their isolation fails.
        DEGRADED
    }

    private final Supplier<Readiness> readiness;

    public Health(Supplier<Readiness> readiness) {
        this.readiness = readiness;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.get("/health/live", (_, response) -> answer(response, Status.OK_200, "live"));
        rules.get("/health/ready", (_, response) -> {
            var state = readiness.get();
            answer(
                    response,
                    state == Readiness.READY ? Status.OK_200 : Status.SERVICE_UNAVAILABLE_503,
                    state.name().toLowerCase(Locale.ROOT));
        });
    }

    private static void answer(ServerResponse response, Status status, String word) {
        response.status(status)
                .header(HeaderNames.CONTENT_TYPE, "application/json")
                .send("{\"status\":\"" + word + "\"}");
    }
}
